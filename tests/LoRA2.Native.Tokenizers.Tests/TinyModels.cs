using System.Text;
using Google.Protobuf;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers.SentencePiece;

namespace LoRA2.Native.Tokenizers.Tests;

/// <summary>Small vocabularies made in memory.</summary>
internal static class TinyModels
{
    public static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fox", "jump", "##s", "##ing", "un", "##known",
        "cafe", "a", "##b", "b", "!", ",", "中", "é"];

    public static readonly (string Text, float Score, PieceType Type)[] Pieces =
    [
        ("[PAD]", 0, PieceType.Control), ("[CLS]", 0, PieceType.Control), ("[SEP]", 0, PieceType.Control), ("[UNK]", 0, PieceType.Unknown),
        ("▁the", -2, PieceType.Normal), ("▁", -3, PieceType.Normal), ("fox", -4, PieceType.Normal), ("s", -5, PieceType.Normal),
        ("fo", -4.5f, PieceType.Normal), ("x", -6, PieceType.Normal), ("▁fox", -3.5f, PieceType.Normal), ("<user>", 0, PieceType.UserDefined),
        ("foxs", -1, PieceType.Unused),
    ];

    /// <summary>A unigram model file; <paramref name="trainer"/> and <paramref name="normalizer"/> add fields.</summary>
    public static byte[] Unigram(
        IEnumerable<(string Text, float Score, PieceType Type)> pieces,
        Action<CodedOutputStream>? trainer = null,
        Action<CodedOutputStream>? normalizer = null) => Message(output =>
    {
        foreach (var (text, score, type) in pieces)
        {
            Nested(output, 1, piece =>
            {
                piece.WriteTag(1, WireFormat.WireType.LengthDelimited);
                piece.WriteString(text);
                piece.WriteTag(2, WireFormat.WireType.Fixed32);
                piece.WriteFloat(score);
                piece.WriteTag(3, WireFormat.WireType.Varint);
                piece.WriteEnum((int)type);
            });
        }

        Nested(output, 2, trainer ?? (_ => { }));
        Nested(output, 3, normalizer ?? (_ => { }));
    });

    public static Action<CodedOutputStream> Varint(int field, int value) => output =>
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(value);
    };

    public static Action<CodedOutputStream> Bytes(int field, byte[] value) => output =>
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
    };

    /// <summary>All single bytes and a few merges; <c>ab</c>, <c>abc</c> and <c>Ġthe</c> are tokens.</summary>
    public static (List<(string Token, int Id)> Vocabulary, List<(string Left, string Right)> Merges) Bpe()
    {
        List<(string Left, string Right)> merges = [("t", "h"), ("Ġ", "th"), ("Ġth", "e"), ("a", "b"), ("ab", "c"), ("a", "a"), ("aa", "aa")];
        var tokens = new List<string> { "<s>", "<pad>", "</s>", "<unk>" };
        tokens.AddRange(LoRA2.Native.Tokenizers.Bpe.ByteAlphabet.Chars.Select(c => c.ToString()));
        tokens.AddRange(merges.Select(m => m.Left + m.Right));
        tokens.Add("<mask>");
        return ([.. tokens.Select((t, i) => (t, i))], merges);
    }

    public static List<(string Token, int Id)> WordPiece() => [.. Words.Select((w, i) => (w, i))];

    /// <summary>A folder of text files that is deleted at the end.</summary>
    public static TemporaryFolder Folder(params (string Name, string Text)[] files)
    {
        var folder = new TemporaryFolder();
        foreach (var (name, text) in files)
            File.WriteAllText(Path.Combine(folder.Path, name), text, new UTF8Encoding(false));
        return folder;
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
            write(output);
        return stream.ToArray();
    }

    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write) => Bytes(field, Message(write))(output);
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("lora2-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
