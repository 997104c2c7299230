"""Writes UnicodeTables.Data.cs beside it: the Unicode facts the tokenizers need, which .NET does not give in invariant
globalization mode (normalization), or gives in another version than the tokenizers imitated.

    python3 unicode_tables.py

Needs a Python whose unicodedata is 14.0.0 (3.11), the version behind HuggingFace's Python tokenizers of transformers
4.36, and a Perl of the same Unicode version (5.36), whose Present_In property tells which code points Unicode 8.0.0
had: the categories the Rust tokenizers use are those of 8.0.0, which differ from 14.0.0 for code points assigned since
and for the few in CHANGED. The data are deflated varints:
  classes of 14.0.0 and of 8.0.0 (run length, class: 0 other, 1 C*, 2 P*, 3 Mn, 4 Zs), canonical combining classes
  (run length, class), decompositions (code point delta, 2 * length + is compatibility, code points), and the
  code points whose decomposition does not compose back (delta)."""
import base64
import os
import subprocess
import unicodedata
import zlib


def varint(out, n):
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)


def klass(category):
    return {"C": 1, "P": 2}.get(category[0], {"Mn": 3, "Zs": 4}.get(category, 0))


def runs(out, values):
    start = 0
    for i in range(1, len(values) + 1):
        if i == len(values) or values[i] != values[start]:
            varint(out, i - start)
            varint(out, values[start])
            start = i


# Code points that were of another category in 8.0.0, where it makes a difference to the classes.
CHANGED = {0x166D: "Po", 0x1734: "Mn", 0x1885: "Lo", 0x1886: "Lo", 0xA9BD: "Mc", 0x111C9: "Po"}


def old_categories():
    perl = 'for (0..0x10FFFF) { print "$_\\n" if chr($_) =~ /\\p{Present_In: 8.0}/ }'
    present = subprocess.run(["perl", "-e", "no warnings; " + perl], capture_output=True, text=True, check=True).stdout
    categories = ["Lo"] * 0x110000  # unassigned code points are not "other" to the Rust crate
    for code in map(int, present.split()):
        category = CHANGED.get(code, unicodedata.category(chr(code)))
        if category not in ("Cn", "Cs"):
            categories[code] = category
    return categories


def main():
    assert unicodedata.unidata_version == "14.0.0"
    out = bytearray()
    runs(out, [klass(unicodedata.category(chr(i))) for i in range(0x110000)])
    runs(out, [klass(c) for c in old_categories()])
    runs(out, [unicodedata.combining(chr(i)) for i in range(0x110000)])
    decompositions = [(i, unicodedata.decomposition(chr(i)).split()) for i in range(0x110000)]
    decompositions = [(i, d) for i, d in decompositions if d]
    varint(out, len(decompositions))
    last = 0
    for i, d in decompositions:
        compat = d[0].startswith("<")
        d = [int(x, 16) for x in d[compat:]]
        varint(out, i - last)
        varint(out, 2 * len(d) + compat)
        for x in d:
            varint(out, x)
        last = i
    excluded = [i for i, d in decompositions if not d[0].startswith("<") and unicodedata.normalize("NFC", chr(i)) != chr(i)]
    varint(out, len(excluded))
    last = 0
    for i in excluded:
        varint(out, i - last)
        last = i
    text = base64.b64encode(deflate(bytes(out))).decode()
    path = os.path.join(os.path.dirname(__file__), "UnicodeTables.Data.cs")
    with open(path, "w", encoding="ascii") as f:
        f.write("// Written by unicode_tables.py; not to be edited.\n\nnamespace LoRA2.Native.Tokenizers.Unicode;\n\n")
        f.write("internal static partial class UnicodeTables\n{\n    private const string Data =\n")
        lines = [text[i:i + 120] for i in range(0, len(text), 120)]
        f.write(" +\n".join(f'        "{x}"' for x in lines) + ";\n}\n")
    print(len(out), len(text))


def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    return c.compress(data) + c.flush()


if __name__ == "__main__":
    main()
