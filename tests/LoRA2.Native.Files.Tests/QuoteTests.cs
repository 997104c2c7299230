using FsCheck.Xunit;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Files.Tests;

/// <summary>Whatever a file holds, a message about it is one line that can be printed.</summary>
public sealed class QuoteTests
{
    [Property(MaxTest = 500)]
    public void WhatIsQuotedIsOneShortLine(Text text)
    {
        string quoted = Quote.Name(text.Value);
        Assert.InRange(quoted.Length, 2, 83);
        Assert.DoesNotContain(quoted, c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029');
        Assert.Equal(quoted, $"\"{Quote.Plain(text.Value)}\"");
    }

    [Property(MaxTest = 200)]
    public void APlainTextStaysAsItIs(Text text)
    {
        string plain = string.Concat(text.Value.Where(c => c is >= ' ' and <= '~').Take(80));
        Assert.Equal(plain, Quote.Plain(plain));
        Assert.Equal(plain.PadRight(80) + "…", Quote.Plain(plain.PadRight(81)));
    }
}
