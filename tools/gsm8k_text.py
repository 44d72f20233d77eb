#!/usr/bin/env python3
"""Worked problems for `agro sft` from the training file of GSM8K, in the form the models of this repository learn: the
question and a line break, the working, and the answer after "####". Needs Python alone.

    tools/gsm8k_text.py train.jsonl --limit 7000 > worked.jsonl

The calculator's notes <<48/2=24>> go, signs stand between spaces as in the generated problems (48/2=24 becomes
48 / 2 = 24, 3x4 becomes 3 * 4), and numbers lose their commas.
"""
import argparse
import json
import re
import sys


def plain_working(text):
    text = re.sub(r"<<[^<>]*>>", "", text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=[\d%)])[ \t]*[x×][ \t]*(?=[\d$(.])", " * ", text)
    text = re.sub(r"(?<=[\d%)])[ \t]*([*/+-])[ \t]*(?=[\d$(.])", r" \1 ", text)
    text = re.sub(r"[ \t]*=[ \t]*", " = ", text)
    return "\n".join(line.strip() for line in text.split("\n"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--limit", type=int, help="the first so many problems; the others are for measuring")
    parser.add_argument("--copies", type=int, default=1, help="write them so many times over")
    parser.add_argument("file")
    arguments = parser.parse_args()
    with open(arguments.file, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines if line.strip()][:arguments.limit]
    for copy in range(arguments.copies):
        for record in records:
            worked = {"kind": "gsm8k", "prompt": record["question"] + "\n", "completion": plain_working(record["answer"])}
            print(json.dumps(worked, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
