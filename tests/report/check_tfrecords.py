#!/usr/bin/env python3
"""Reads a TFRecord file with an independent CRC-32C (the crc32c module), checks every checksum, and writes the payload of
record N to FOLDER/N.bin. Usage: check_tfrecords.py FILE FOLDER"""
import pathlib
import struct
import sys

import crc32c


def check(data: bytes, stored: bytes, what: str) -> None:
    crc = crc32c.crc32c(data)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    if struct.unpack("<I", stored)[0] != masked:
        sys.exit(f"{what}: stored checksum differs from 0x{masked:08X}")


def main(path: str, folder: str) -> None:
    data = pathlib.Path(path).read_bytes()
    offset = count = 0
    while offset < len(data):
        header, header_crc = data[offset : offset + 8], data[offset + 8 : offset + 12]
        check(header, header_crc, f"length of record {count}")
        (length,) = struct.unpack("<Q", header)
        payload = data[offset + 12 : offset + 12 + length]
        check(payload, data[offset + 12 + length : offset + 16 + length], f"record {count}")
        (pathlib.Path(folder) / f"{count}.bin").write_bytes(payload)
        offset += 16 + length
        count += 1
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
