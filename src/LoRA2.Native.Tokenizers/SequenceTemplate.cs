namespace LoRA2.Native.Tokenizers;

/// <summary>How special tokens are put around one or two sequences.</summary>
internal sealed class SequenceTemplate(SequenceTemplate.Part[] single, SequenceTemplate.Part[] pair)
{
    /// <summary>No special tokens; the second sequence follows the first.</summary>
    public static SequenceTemplate None { get; } = new([Part.A()], [Part.A(), Part.B(0)]);

    public Part[] Single { get; } = single;

    public Part[] Pair { get; } = pair;

    /// <summary>[CLS] A [SEP] and [CLS] A [SEP] B [SEP], the last two with type 1.</summary>
    public static SequenceTemplate Bert(Part cls, Part sep) =>
        new([cls, Part.A(), sep], [cls, Part.A(), sep, Part.B(1), sep with { TypeId = 1 }]);

    /// <summary>&lt;s&gt; A &lt;/s&gt; and &lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;, all with type 0.</summary>
    public static SequenceTemplate Roberta(Part cls, Part sep) =>
        new([cls, Part.A(), sep], [cls, Part.A(), sep, sep, Part.B(0), sep]);

    /// <summary>How many special tokens are added.</summary>
    public int Added(bool pair) => (pair ? Pair : Single).Count(p => p.Kind == PartKind.Token);

    /// <summary>One place in a template.</summary>
    public readonly record struct Part(PartKind Kind, int Id, string Text, int TypeId)
    {
        public static Part A(int typeId = 0) => new(PartKind.First, 0, "", typeId);

        public static Part B(int typeId) => new(PartKind.Second, 0, "", typeId);

        public static Part Token(int id, string text, int typeId = 0) => new(PartKind.Token, id, text, typeId);
    }

    /// <summary>What stands in a place.</summary>
    public enum PartKind
    {
        First,
        Second,
        Token,
    }
}
