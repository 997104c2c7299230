namespace LoRA2.Native.Files.Tests;

public sealed class InputExceptionTests
{
    [Fact]
    public void AMessageIsOneLineWhateverTheFileSays() =>
        Assert.Equal("data.csv: the column te?xt?? is unknown", new InputException("data.csv: the column te\rxt\n\u2028 is unknown").Message);
}
