#!/usr/bin/env python3
"""Trains the small byte-level BPE tokenizer of models/wordmath: a HuggingFace tokenizer.json from the text fields of
JSONL files. Needs Python alone.

    tools/train_tokenizer.py --vocab 512 OUT_FOLDER train.jsonl

Words with the space before them, single digits and runs of signs are the pieces that merges never cross. The training
text is ASCII, so the pattern below, written with Unicode classes in tokenizer.json, is applied here with ASCII ones.
"""
import argparse
import collections
import json
import os
import re

UNICODE_PATTERN = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+"
ASCII_PATTERN = re.compile(r" ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]+|\s*[\r\n]+|\s+")
END_TOKEN = "<|end|>"


def byte_alphabet():
    """GPT-2's printable stand-ins for the 256 bytes."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (b for b in range(256) if b not in printable)
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def count_pieces(paths):
    alphabet, pieces = byte_alphabet(), collections.Counter()
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                for text in (record["prompt"], record["completion"]):
                    pieces.update(ASCII_PATTERN.findall(text))
    return {tuple(alphabet[b] for b in piece.encode()): n for piece, n in pieces.items()}


def merge_once(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return tuple(out)


def learn_merges(pieces, count):
    words, counts = list(pieces), list(pieces.values())
    pairs, places = collections.Counter(), collections.defaultdict(set)  # how often; in which words

    def add(word, sign):
        for pair in zip(words[word], words[word][1:]):
            pairs[pair] += sign * counts[word]
            if sign > 0:
                places[pair].add(word)

    for word in range(len(words)):
        add(word, 1)
    merges = []
    while len(merges) < count and any(pairs.values()):
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))  # ties by text: the same file on every machine
        merges.append(best)
        for word in places.pop(best):
            add(word, -1)
            words[word] = merge_once(words[word], best)
            add(word, 1)
        del pairs[best]
    return merges


def tokenizer_json(merges):
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    vocab = {symbol: i for i, symbol in enumerate(byte_alphabet()[b] for b in range(256))}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    end = {"id": len(vocab), "content": END_TOKEN, "single_word": False, "lstrip": False, "rstrip": False,
           "normalized": False, "special": True}
    split = {"type": "Split", "pattern": {"Regex": UNICODE_PATTERN}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [end], "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": vocab,
                  "merges": [f"{left} {right}" for left, right in merges]},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--vocab", type=int, default=512, help="tokens in all, the end token included")
    parser.add_argument("folder")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    merges = learn_merges(count_pieces(arguments.files), arguments.vocab - 257)
    with open(os.path.join(arguments.folder, "tokenizer.json"), "w", encoding="utf-8") as out:
        json.dump(tokenizer_json(merges), out, ensure_ascii=False, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
