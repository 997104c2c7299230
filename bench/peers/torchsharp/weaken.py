"""weaken.py LIBRARY VERSION: marks the library's need of a symbol version, and the symbols of that version, as weak, so that it loads where the version is missing (ELF, 64 bits,
little-endian). The file is replaced, for it may be a hard link into NuGet's folder. Done once, it changes nothing the second time."""
import os
import struct
import sys

path, version = sys.argv[1:]
data = bytearray(open(path, "rb").read())
(sections,) = struct.unpack_from("<Q", data, 0x28)
size, count = struct.unpack_from("<HH", data, 0x3A)
headers = [struct.unpack_from("<IIQQQQIIQQ", data, sections + i * size) for i in range(count)]
KIND, PLACE, LENGTH, LINK = 1, 4, 5, 6
DYNSYM, VERSYM, VERNEED = 11, 0x6FFFFFFF, 0x6FFFFFFE


def text(table, offset):
    start = headers[table][PLACE] + offset
    return data[start : data.index(0, start)].decode()


index = None
for header in (h for h in headers if h[KIND] == VERNEED):
    file = header[PLACE]
    while True:
        _, entries, _, first, following = struct.unpack_from("<HHIII", data, file)
        entry = file + first
        for _ in range(entries):
            _, flags, other, name, step = struct.unpack_from("<IHHII", data, entry)
            if text(header[LINK], name) == version:
                struct.pack_into("<H", data, entry + 4, flags | 2)  # VER_FLG_WEAK
                index = other
            entry += step
        if following == 0:
            break
        file += following
if index is not None:
    symbols = next(h for h in headers if h[KIND] == DYNSYM)
    versions = next(h for h in headers if h[KIND] == VERSYM)
    for i in range(symbols[LENGTH] // 24):
        if struct.unpack_from("<H", data, versions[PLACE] + 2 * i)[0] == index:
            at = symbols[PLACE] + 24 * i + 4
            data[at] = (2 << 4) | (data[at] & 15)  # STB_WEAK
    with open(path + ".new", "wb") as out:
        out.write(data)
    os.chmod(path + ".new", 0o755)
    os.replace(path + ".new", path)
