using System.Text;
using Google.Protobuf;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>Reads a SentencePiece model file, field by field of its protobuf message, and checks it before use.</summary>
internal sealed class SentencePieceModelReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);
    private readonly string _file;
    private readonly SentencePieceModel _model = new();
    private int _modelType = 1;

    private SentencePieceModelReader(string file) => _file = file;

    /// <summary>Reads <paramref name="file"/>.</summary>
    /// <exception cref="InputException">The file is not a usable unigram model; the message names the field.</exception>
    public static SentencePieceModel Read(string file) => Parse(RegularFile.ReadAllBytes(file), file);

    /// <summary>Reads the model in <paramref name="content"/>; <paramref name="file"/> names it in messages.</summary>
    public static SentencePieceModel Parse(byte[] content, string file)
    {
        var reader = new SentencePieceModelReader(file);
        try
        {
            reader.ReadModel(new CodedInputStream(content));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IOException)
        {
            throw new InputException(
                $"{file}: after {reader._model.Pieces.Count} pieces, not a SentencePiece model (protobuf): {e.Message}", e);
        }

        reader.Check();
        return reader._model;
    }

    private void ReadModel(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (tag)
            {
                case 10:
                    Message(input, ReadPiece);
                    break;
                case 18:
                    Message(input, ReadTrainerSpec);
                    break;
                case 26:
                    Message(input, ReadNormalizerSpec);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private static void Message(CodedInputStream input, Action<CodedInputStream> read)
    {
        var nested = new CodedInputStream(input.ReadBytes().ToByteArray());
        read(nested);
    }

    private void ReadPiece(CodedInputStream input)
    {
        var (text, score, type) = ("", 0f, (int)PieceType.Normal);
        while (input.ReadTag() is var tag and not 0)
        {
            switch (tag)
            {
                case 10:
                    text = Text(input.ReadBytes(), $"piece {_model.Pieces.Count}");
                    break;
                case 21:
                    score = input.ReadFloat();
                    break;
                case 24:
                    type = input.ReadInt32();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (type is < (int)PieceType.Normal or > (int)PieceType.Byte)
            throw new InputException($"{_file}: piece {_model.Pieces.Count} has type {type}; expected 1 to 6.");
        _model.Pieces.Add(new Piece(text, score, (PieceType)type));
    }

    private void ReadTrainerSpec(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (tag)
            {
                case 3 << 3:
                    _modelType = input.ReadInt32();
                    break;
                case 24 << 3:
                    _model.TreatWhitespaceAsSuffix = input.ReadBool();
                    break;
                case 35 << 3:
                    _model.ByteFallback = input.ReadBool();
                    break;
                case (46 << 3) | 2:
                    _model.BosPiece = Text(input.ReadBytes(), "trainer_spec.bos_piece");
                    break;
                case (47 << 3) | 2:
                    _model.EosPiece = Text(input.ReadBytes(), "trainer_spec.eos_piece");
                    break;
                case (48 << 3) | 2:
                    _model.PadPiece = Text(input.ReadBytes(), "trainer_spec.pad_piece");
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private void ReadNormalizerSpec(CodedInputStream input)
    {
        while (input.ReadTag() is var tag and not 0)
        {
            switch (tag)
            {
                case (2 << 3) | 2:
                    var blob = input.ReadBytes();
                    _model.CharsMap = blob.IsEmpty
                        ? null
                        : new PrecompiledCharsMap(blob.Span, $"{_file}: normalizer_spec.precompiled_charsmap");
                    break;
                case 3 << 3:
                    _model.AddDummyPrefix = input.ReadBool();
                    break;
                case 4 << 3:
                    _model.RemoveExtraWhitespaces = input.ReadBool();
                    break;
                case 5 << 3:
                    _model.EscapeWhitespaces = input.ReadBool();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
    }

    private string Text(ByteString bytes, string what)
    {
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException e)
        {
            throw new InputException($"{_file}: {what} is not valid UTF-8.", e);
        }
    }

    private void Check()
    {
        if (_modelType != 1)
        {
            string[] names = ["?", "unigram", "BPE", "word", "char"];
            var name = _modelType is > 0 and < 5 ? names[_modelType] : "?";
            throw new InputException($"{_file}: trainer_spec.model_type is {_modelType} ({name}); expected 1 (unigram).");
        }

        if (_model.Pieces.Count == 0)
            throw new InputException($"{_file}: has no pieces; expected a SentencePiece unigram model.");
        CheckPieces();
    }

    private void CheckPieces()
    {
        var (normal, reserved) = (new Dictionary<string, int>(), new Dictionary<string, int>());
        var bytes = new bool[256];
        var unknown = -1;
        for (var i = 0; i < _model.Pieces.Count; i++)
        {
            var piece = _model.Pieces[i];
            if (piece.Text.Length == 0)
                throw new InputException($"{_file}: piece {i} is empty; expected at least one character.");
            if (float.IsNaN(piece.Score))
                throw new InputException($"{_file}: piece {i} ('{piece.Text}') has the score NaN; expected a number.");
            var seen = piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused ? normal : reserved;
            if (!seen.TryAdd(piece.Text, i))
                throw new InputException($"{_file}: piece {i} ('{piece.Text}') is already defined as piece {seen[piece.Text]}.");
            if (piece.Type == PieceType.Unknown)
            {
                if (unknown >= 0)
                    throw new InputException($"{_file}: piece {i} has type UNKNOWN like piece {unknown}; expected one such piece.");
                unknown = i;
            }

            if (piece.Type == PieceType.Byte)
                CheckBytePiece(i, piece.Text, bytes);
        }

        if (unknown < 0)
            throw new InputException($"{_file}: no piece has type UNKNOWN; expected one.");
        if (_model.ByteFallback && bytes.Contains(false))
        {
            throw new InputException(
                $"{_file}: trainer_spec.byte_fallback is true but there is no piece <0x{Array.IndexOf(bytes, false):X2}>; expected all 256.");
        }
    }

    private void CheckBytePiece(int index, string text, bool[] found)
    {
        if (!_model.ByteFallback)
            throw new InputException($"{_file}: piece {index} ('{text}') has type BYTE but trainer_spec.byte_fallback is false.");
        var value = Enumerable.Range(0, 256).FirstOrDefault(b => text == $"<0x{b:X2}>", -1);
        if (value < 0)
            throw new InputException($"{_file}: piece {index} ('{text}') has type BYTE; expected <0x00> to <0xFF>.");
        found[value] = true;
    }
}
