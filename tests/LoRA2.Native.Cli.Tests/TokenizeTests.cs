using System.Text;
using System.Text.Json;
using LoRA2.Native.Cli;
using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Cli.Tests;

public class TokenizeTests
{
    private static readonly string[] Arguments = ["tokenize", "--model", SharedData.Tokenizer];
    private static readonly Tokenizer Tokenizer = Tokenizer.FromFolder(SharedData.Tokenizer);

    [Theory]
    [InlineData("one\ntwo\n", "one", "two")]
    [InlineData("one\r\n\r\ntwo", "one", "", "two")]
    [InlineData("a\rb\u0085c\u2028d\u000Be\n\uFEFFf\n", "a\rb\u0085c\u2028d\u000Be", "\uFEFFf")]
    [InlineData("")]
    public void ALineFeedAloneEndsAText(string input, params string[] texts)
    {
        JsonElement[] answers = Lora2.RunWith(input, Arguments).Done().JsonLines;
        Assert.Equal(texts.Length, answers.Length);
        foreach ((string text, JsonElement answer) in texts.Zip(answers)) RequireSame(text, answer, special: true);
    }

    [Fact]
    public void JsonLinesTakeAnyStringThatJsonCanHold()
    {
        string[] texts = ["", "plain", "tab\t, quote \", \\ and /", "\0\u0001\u001f\u007f", "line\nfeed\r\n", "naïve 😀 ▁ \u2028\u2029\u0085", "caf\u00e9 \ufeff\ufffd", new('x', 200_000)];
        string input = string.Concat(texts.Select(text => JsonSerializer.Serialize(text) + "\n"));
        CommandResult result = Lora2.RunWith(input, [.. Arguments, "--json-lines", "--no-special-tokens"]).Done();
        // Nothing that some reader takes for the end of a line may stand in the output.
        Assert.DoesNotContain(result.Output, c => c != '\n' && (char.IsControl(c) || c is '\u2028' or '\u2029'));
        Assert.All(texts.Zip(result.JsonLines), pair => RequireSame(pair.First, pair.Second, special: false));
    }

    [Theory]
    [InlineData("""
        "a\ud800b"
        """)]
    [InlineData("""
        "\udc00"
        """)]
    [InlineData("""
        "\ud83d\u0041 \\u0041 \/\b\f"
        """)]
    public void EscapedLoneSurrogatesAreAnswered(string line)
    {
        JsonElement answer = Assert.Single(Lora2.RunWith(line, [.. Arguments, "--json-lines"]).Done().JsonLines);
        Assert.Equal(answer.GetProperty("ids").GetArrayLength(), answer.GetProperty("tokens").GetArrayLength());
    }

    [Theory]
    [InlineData("\"fine\"\n[1]\n", "standard input, line 2: a value of kind StartArray was found; a JSON string was expected")]
    [InlineData("\"fine\"\n\n", "standard input, line 2: is empty")]
    [InlineData("\"unfinished\n", "standard input, line 1: is not valid JSON")]
    [InlineData("\"two\" \"values\"", "standard input, line 1: is not valid JSON")]
    [InlineData("\"raw \u0001 control\"", "standard input, line 1: is not valid JSON")]
    public void ABadJsonLineIsNamedByItsNumber(string input, string sentence)
    {
        CommandResult result = Lora2.RunWith(input, [.. Arguments, "--json-lines"]);
        Assert.Equal(2, result.Code);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.Equal(input.StartsWith("\"fine\"", StringComparison.Ordinal) ? 1 : 0, result.JsonLines.Length);
    }

    [Fact]
    public void TextThatIsNotUtf8IsNamedByItsLine()
    {
        CommandResult result = Lora2.Run([.. "good\n"u8, 0xC3, 0x28, (byte)'\n'], default, Arguments);
        Assert.Equal(2, result.Code);
        Assert.Equal("lora2: standard input, line 2: is not valid UTF-8\n", result.Error);
        Assert.Single(result.JsonLines);
    }

    [Fact]
    public void OutputIsUtf8WithoutAMark()
    {
        CommandResult result = Lora2.RunWith("é\n", Arguments).Done();
        Assert.StartsWith("{\"ids\":[", result.Output, StringComparison.Ordinal);
        Assert.Contains("é", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void LinesLongerThanTheBufferComeOutWhole()
    {
        var input = new StringBuilder();
        string[] texts = [.. Enumerable.Range(0, 400).Select(i => string.Join(' ', Enumerable.Repeat($"word{i}", i * 7 % 5000)))];
        foreach (string text in texts) input.Append(text).Append('\n');
        JsonElement[] answers = Lora2.RunWith(input.ToString(), Arguments).Done().JsonLines;
        Assert.Equal(texts.Select(text => Tokenizer.Encode(text).Length), answers.Select(answer => answer.GetProperty("ids").GetArrayLength()));
    }

    private static void RequireSame(string text, JsonElement answer, bool special)
    {
        TokenizedText expected = Tokenizer.EncodeWithTokens(text, special);
        Assert.Equal(expected.Ids, answer.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal(expected.Tokens, answer.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!));
    }
}
