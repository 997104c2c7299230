using LoRA2.Native.Tensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests;

public sealed class ServeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WhatIsNotThereIsOneSentence()
    {
        string model = TinyModel.Write(folder), nowhere = folder.File("nowhere");
        Assert.Contains("'typo'", Refused("--model", model, "--adapter", "a=typo"), StringComparison.Ordinal);
        Assert.Contains("adapter 'b' is in 'typo', and there is no such folder", Refused("--model", model, "--adapter", $"a={model}", "--adapter", "b=typo"), StringComparison.Ordinal);
        Assert.Contains($"'{nowhere}', and there is no such folder", Refused("--model", nowhere), StringComparison.Ordinal);
        // A folder that has no model, and one that has no adapter.
        Assert.Contains("config.json", Refused("--model", folder.Path), StringComparison.Ordinal);
        Assert.Contains("is a model's folder, not an adapter's", Refused("--model", model, "--adapter", $"a={model}"), StringComparison.Ordinal);
        Assert.Contains("the model's own name", Refused("--model", model, "--name", "a", "--adapter", $"a={model}"), StringComparison.Ordinal);
    }

    // Threads are the whole process's, other tests' too.
    private static string Refused(params string[] args) => Lora2.Run(["serve", "--urls", "http://127.0.0.1:0", "--threads", $"{Compute.Threads}", .. args]).Refused();
}
