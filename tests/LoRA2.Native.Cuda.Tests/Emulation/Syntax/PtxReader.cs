using System.Globalization;

namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>A place in a list of tokens, with the reading that module and body have in common.</summary>
internal sealed class PtxReader(List<PtxToken> tokens, int position)
{
    public int Position { get; set; } = position;

    public bool AtEnd => Position >= tokens.Count;

    public PtxToken Current => AtEnd ? new PtxToken("the end of the text", tokens.Count == 0 ? 1 : tokens[^1].Line, false) : tokens[Position];

    public PtxToken Next()
    {
        var token = Current;
        Position++;
        return token;
    }

    public bool Is(string text) => !AtEnd && tokens[Position].Text == text;

    public bool IsLabel => !AtEnd && Position + 1 < tokens.Count && tokens[Position].IsWord && tokens[Position + 1].Text == ":";

    public bool Take(string text)
    {
        if (!Is(text))
            return false;
        Position++;
        return true;
    }

    public void Expect(string text)
    {
        if (!Take(text))
            throw Error($"expected '{text}', found '{Current.Text}'");
    }

    public string Word()
    {
        if (!Current.IsWord)
            throw Error($"expected a name, found '{Current.Text}'");
        return Next().Text;
    }

    public int Integer()
    {
        var word = Word();
        if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            throw Error($"expected a number, found '{word}'");
        return value;
    }

    /// <summary>Skips what is between the brace here and its partner; returns the position after the opening one.</summary>
    public int SkipBraces()
    {
        Expect("{");
        var start = Position;
        for (var depth = 1; depth > 0;)
        {
            if (AtEnd)
                throw Error("a '{' has no '}'");
            var token = Next();
            depth += token.Text switch { "{" => 1, "}" => -1, _ => 0 };
        }
        return start;
    }

    public void SkipLine()
    {
        var line = Current.Line;
        while (!AtEnd && Current.Line == line)
            Position++;
    }

    public PtxException Error(string what) => new($"PTX line {Current.Line}: {what}.");

    /// <summary>Reads <c>.align 8 .b8 name[16]</c> and the like, after the state space.</summary>
    public PtxVariable Variable(PtxSpace space)
    {
        var alignment = 0;
        var elements = 1;
        PtxType? type = null;
        while (Current.IsWord && Current.Text[0] == '.')
        {
            var word = Next().Text[1..];
            if (word == "align")
                alignment = Integer();
            else if (word is "v2" or "v4")
                elements = word[1] - '0';
            else if (word == "ptr" || word is "global" or "shared" or "const" or "local")
                continue;
            else
                type = PtxType.Find(word) ?? throw Error($"'.{word}' is not a type");
        }
        if (type is null)
            throw Error("a variable has no type");
        var name = Word();
        var size = Math.Max(1, type.Value.Size) * elements;
        alignment = Math.Max(alignment, size);
        while (Take("["))
        {
            size = Is("]") ? -1 : size * Integer();
            Expect("]");
        }
        return new PtxVariable(name, space, size, alignment);
    }
}
