using LoRA2.Native.Cli.Tests;
using LoRA2.Native.Tests.Shared;
namespace LoRA2.Native.Cli.Tests;

public sealed class BadInputTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Required command was not provided")]
    [InlineData("'fly'", "fly")]
    [InlineData("--wings", "finetune", "--wings")]
    [InlineData("option --rank is '0'; a whole number from 1 to 65536 was expected", "finetune", "--rank", "0")]
    [InlineData("option --alpha is '0'; a number from 1E-06 to 1000000 was expected", "finetune", "--alpha", "0")]
    [InlineData("option --alpha is '-16'; a number from 1E-06 to 1000000 was expected", "finetune", "--alpha", "-16", "--method", "lora")]
    [InlineData("option --alpha is 'NaN'; a number from 1E-06 to 1000000 was expected", "finetune", "--alpha", "NaN", "--method", "dora")]
    [InlineData("option --epochs is 'three'; a whole number of at least 1 was expected", "finetune", "--epochs", "three")]
    [InlineData("option --learning-rate is 'NaN'; a number from 0 to 1000000 was expected", "finetune", "--learning-rate", "NaN")]
    [InlineData("option --dropout is '1'; a number from 0 to 0.999 was expected", "finetune", "--dropout", "1")]
    [InlineData("option --warmup is '2.5'; a whole number of steps or a share from 0 to 1 was expected", "finetune", "--warmup", "2.5")]
    [InlineData("option --seed is '-1'; a whole number from 0 to", "finetune", "--seed", "-1")]
    [InlineData("option --precision is 'int8', which is for answering, not for training; float32, bfloat16, bfloat16x3, bfloat16x6 can be", "finetune", "--precision", "int8")]
    [InlineData("option --precision is 'int4'; float32, bfloat16, bfloat16x3, bfloat16x6, int8 can be", "evaluate", "--precision", "int4")]
    [InlineData("option --method is 'pora'; lora2, lora, ", "finetune", "--method", "pora")]
    [InlineData("option --regulariser is 'Uv'; none, uv, UV, uv+UV, PQ, all can be", "finetune", "--regulariser", "Uv")]
    [InlineData("target 'queri' matches no layer", "finetune", "--targets", "queri")]
    [InlineData("--budget-final needs --target-rank", "finetune", "--budget-final", "0.2")]
    [InlineData("--target-rank is 9; at most --rank, 8", "finetune", "--target-rank", "9")]
    [InlineData("--target-rank needs --method lora2", "finetune", "--target-rank", "2", "--method", "lora")]
    [InlineData("--outer-rank is not for --method lora; it is for lora2", "finetune", "--outer-rank", "2", "--method", "lora")]
    [InlineData("--rank is not for --method full", "finetune", "--rank", "2", "--method", "full")]
    [InlineData("'/nowhere/adapter_config.json' does not exist", "finetune", "--from", "/nowhere")]
    [InlineData("--preset needs --task", "finetune", "--preset")]
    [InlineData("there is no preset for --method lora; there are adalora, lora2, sora", "finetune", "--preset", "--task", "CoLA", "--data", "glue", "--method", "lora")]
    [InlineData("there is nothing to export", "export", "--output", "x", "--model", "quick-start")]
    [InlineData("--gate-rate is not for --method lora2; it is for sora", "finetune", "--gate-rate", "2")]
    [InlineData("option --proximal is 'soft'; paper, released, rate can be", "finetune", "--method", "sora", "--proximal", "soft")]
    [InlineData("--target-rank needs --method lora2 or adalora", "finetune", "--target-rank", "2", "--method", "bitfit")]
    [InlineData("--targets is not for --method bitfit", "finetune", "--targets", "query", "--method", "bitfit")]
    [InlineData("--importance is not for --method adalora; it is for lora2", "finetune", "--importance", "full", "--method", "adalora")]
    [InlineData("--head is not for --method full", "finetune", "--head", "all", "--method", "full")]
    [InlineData("leave nothing of 216 steps in between", "finetune", "--target-rank", "2", "--budget-final", "300", "--epochs", "4", "--batch-size", "32")]
    [InlineData("--model was given without data", "finetune", "--model", "somewhere")]
    [InlineData("--dev was given without --train", "finetune", "--dev", "somewhere.tsv")]
    [InlineData("--task needs --data", "finetune", "--task", "CoLA")]
    [InlineData("--data needs --task", "finetune", "--data", "glue")]
    [InlineData("not both", "finetune", "--data", "glue", "--task", "CoLA", "--train", "mine.tsv")]
    [InlineData("--text-column is for files of your own", "finetune", "--data", "glue", "--task", "CoLA", "--text-column", "x")]
    [InlineData("task \"CoLLA\" is unknown", "finetune", "--data", "glue", "--task", "CoLLA")]
    [InlineData("no such file", "finetune", "--data", "/nowhere", "--task", "CoLA")]
    [InlineData("no such file", "finetune", "--train", "/nowhere/train.tsv")]
    [InlineData("/nowhere", "tokenize", "--model", "/nowhere")]
    [InlineData("'--model' is required", "tokenize")]
    [InlineData("'/nowhere' does not exist", "inspect", "/nowhere")]
    [InlineData("adapter folder '/nowhere' does not exist", "predict", "--adapter", "/nowhere")]
    [InlineData("model folder '/nowhere' does not exist", "predict", "--model", "/nowhere", "--text", "x")]
    [InlineData("--text-pair needs --text", "predict", "--text-pair", "x")]
    [InlineData("--submission needs --task and --data", "predict", "--submission", "x")]
    [InlineData("--submission needs --task and --data", "predict", "--task", "CoLA", "--data", "x")]
    [InlineData("--task needs --data", "predict", "--task", "CoLA", "--submission", "x")]
    [InlineData("leave out --text", "predict", "--task", "CoLA", "--data", "x", "--submission", "y", "--text", "z")]
    [InlineData("option --dtype is 'int8'; float32, float16, bfloat16 can be", "merge", "--output", "x", "--dtype", "int8")]
    [InlineData("'/nowhere.onnx' does not exist", "import", "/nowhere.onnx", "--output", "x")]
    [InlineData("option --dtype is 'int8'; float32, float16, bfloat16 can be", "import", "x.onnx", "--output", "y", "--dtype", "int8")]
    [InlineData("option --heads is '0'; a whole number of at least 1 was expected", "import", "x.onnx", "--output", "y", "--heads", "0")]
    [InlineData("'--output' is required", "import", "x.onnx")]
    [InlineData("--adapter is missing", "merge", "--output", "x", "--model", "quick-start")]
    [InlineData("model folder '/nowhere' does not exist", "trace", "--model", "/nowhere", "--inputs", "x", "--output", "y")]
    [InlineData("--split needs --task", "evaluate", "--split", "dev", "--model", "quick-start")]
    public void IsRefusedInOneSentenceAndNothingIsWritten(string sentence, params string[] args)
    {
        string output = folder.File("out");
        if (args is ["finetune", ..]) args = [.. args, "--output", output];
        Assert.Contains(sentence, Lora2.Run(args).Refused(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("option --output is empty; the name of a file or folder was expected", "finetune", "--output", "")]
    [InlineData("option --model is empty", "predict", "--model", "", "--text", "a")]
    [InlineData("option --train is no name", "finetune", "--train", " ")]
    [InlineData("argument path is empty", "inspect", "")]
    [InlineData("2000000000 epochs of 2 examples in batches of 1 are 4000000000 steps", "finetune", "--epochs", "2000000000", "--batch-size", "1")]
    public void AnArgumentThatNamesNothingIsRefused(string sentence, params string[] args)
    {
        string data = folder.Write("data.tsv", "text\tlabel\na\tx\nb\ty\n");
        if (args.Contains("--epochs")) args = [.. args, "--train", data, "--output", folder.File("out")];
        Assert.Contains(sentence, Lora2.Run(args).Refused(), StringComparison.Ordinal);
    }

    [PipeFact]
    public void APipeInPlaceOfAFileIsRefusedAndNotWaitedFor()
    {
        string pipe = folder.Pipe("data.tsv");
        Assert.Contains("data.tsv: is a named pipe, expected a file", Lora2.Run("compare", pipe, "--output", folder.File("out")).Refused(), StringComparison.Ordinal);
        Assert.Contains("data.tsv: is a named pipe, expected a file", Lora2.Run("finetune", "--train", pipe, "--output", folder.File("out")).Refused(), StringComparison.Ordinal);
        string model = TinyModel.Write(folder);
        File.Delete(Path.Combine(model, "config.json"));
        File.CreateSymbolicLink(Path.Combine(model, "config.json"), "/dev/zero");
        Assert.Contains("config.json: is a device, expected a file", Lora2.Run("predict", "--model", model, "--text", "a").Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsRefused()
    {
        if (!OperatingSystem.IsLinux()) return;
        string model = TinyModel.Write(folder);
        foreach (string[] args in (string[][])[TinyModel.Finetune(folder, "/proc/x"), ["trace", "--model", model, "--inputs", "none", "--output", "/proc/x"]])
            Assert.DoesNotContain("Could not find", Lora2.Run(args).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AQuotationIsAtMostALineOf200Characters()
    {
        string sentence = Lora2.Run("predict", "--adapter", "a\nb" + new string('x', 3000)).Refused();
        Assert.InRange(sentence.Length, 200, 320);
    }

    [Theory]
    [InlineData("text\tlabel\na\tx\nb\n", "train.tsv, line 3")]
    [InlineData("text\tlabel\na\tx\nb\tx\n", "every label is \"x\"")]
    [InlineData("sentense\tlabel\na\tx\n", "expected a text column")]
    [InlineData("", "train.tsv")]
    public void ABadDataFileIsNamedWithItsLine(string content, string sentence)
    {
        string train = folder.Write("train.tsv", content);
        Assert.Contains(sentence, Lora2.Run("finetune", "--train", train, "--output", folder.File("out")).Refused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("out")));
    }

    [Fact]
    public void ADevelopmentLabelThatTrainingLacksIsRefused()
    {
        string train = folder.Write("train.tsv", "text\tlabel\na\tx\nb\ty\n");
        string development = folder.Write("dev.tsv", "text\tlabel\na\tx\nb\tz\n");
        string[] args = ["finetune", "--train", train, "--dev", development, "--output", folder.File("out")];
        Assert.Contains("dev.tsv, line 3: label \"z\" found", Lora2.Run(args).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnOutputThatIsOrLiesUnderAFileIsRefused()
    {
        string file = folder.Write("file", "x");
        foreach (string output in (string[])[file, Path.Combine(file, "sub")])
            Assert.Contains("is a file; a folder was expected", Lora2.Run("finetune", "--output", output).Refused(), StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(file));
    }

    [Fact]
    public void ADamagedModelIsRefused()
    {
        string model = TinyModel.Write(folder);
        string weights = Path.Combine(model, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^4]);
        string[] args = TinyModel.Finetune(folder, folder.File("out"));
        Assert.Contains(weights, Lora2.Run(args).Refused(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.File("out")));
    }

    [Fact]
    public void ADefectIs1AndHasAStackTraceOnlyWhenAsked()
    {
        using var closed = new MemoryStream();
        closed.Dispose();
        using var error = new StringWriter();
        var streams = new LoRA2.Native.Cli.StandardStreams(closed, new MemoryStream(), error);
        Assert.Equal(1, LoRA2.Native.Cli.LoRA2Command.Run(["tokenize", "--model", SharedData.Tokenizer], streams));
        Assert.Contains("--debug", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.ToString(), StringComparison.Ordinal);
        LoRA2.Native.Cli.LoRA2Command.Run(["tokenize", "--model", SharedData.Tokenizer, "--debug"], streams);
        Assert.Contains("   at ", error.ToString(), StringComparison.Ordinal);
    }
}
