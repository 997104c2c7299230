using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using FsCheck.Xunit;
using LoRA2.Native.Tests.Shared.Tensors;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>What a failing property says: a small counterexample, and the seed from which it comes again.</summary>
public sealed partial class PropertyReplayTests
{
    [Fact]
    public async Task AFailurePrintsASeedThatReplaysIt()
    {
        string first = await Failure(nameof(Wrong.OnAllSeeds));
        Match seed = Seed().Match(first);
        Assert.True(seed.Success, first);
        Assert.Equal(Wrong.Replay, seed.Groups["seed"].Value);

        string again = await Failure(nameof(Wrong.OnThatSeed));

        Assert.Contains("after 1 test ", again);
        Assert.Equal(Counterexample(first), Counterexample(again));
    }

    /// <summary>Shrunk by our own shrinkers: the least tensor that is that long, and no view.</summary>
    [Fact]
    public async Task ACounterexampleIsShrunk() =>
        Assert.Matches(@"Shrunk:\s+DrawnTensor \{ Shape = \[61\], DType = Float\d\d, Layout = Contiguous, Seed = \d+ \}", await Failure(nameof(Wrong.OnAllSeeds)));

    private static string Counterexample(string message) => message[message.IndexOf("Original:", StringComparison.Ordinal)..message.IndexOf("Assert.True", StringComparison.Ordinal)];

    /// <summary>Runs a property of <see cref="Wrong"/> as xunit's runner does and gives its message.</summary>
    private static async Task<string> Failure(string property)
    {
        var type = Reflector.Wrap(typeof(Wrong));
        var tests = new TestClass(new TestCollection(new TestAssembly(type.Assembly), null, nameof(Wrong)), type);
        var messages = new Messages();
        using var cancellation = new CancellationTokenSource();
        var test = new PropertyTestCase(messages, TestMethodDisplay.Method, TestMethodDisplayOptions.None, new TestMethod(tests, type.GetMethod(property, false)), null);
        RunSummary summary = await test.RunAsync(messages, messages, [], new ExceptionAggregator(), cancellation);
        Assert.Equal(1, summary.Failed);
        return Assert.Single(messages.Failures);
    }

    [GeneratedRegex(@"Replay directly at failing step with \((?<seed>[\d,]+)\)")]
    private static partial Regex Seed();

    /// <summary>Not public, so that a run of the tests does not find it.</summary>
    [SuppressMessage("xUnit", "xUnit1000", Justification = "It is run by hand.")]
    private sealed class Wrong
    {
        public const string Replay = "14301543196384307260,6185074585042305769,2";

        [Property(Replay = "1,3", MaxTest = 1000)]
        public void OnAllSeeds(DrawnTensor drawn) => Assert.True(drawn.Shape.Rank == 0 || drawn.Shape[0] < 61);

        [Property(Replay = Replay)]
        public void OnThatSeed(DrawnTensor drawn) => OnAllSeeds(drawn);
    }

    private sealed class Messages : LongLivedMarshalByRefObject, IMessageBus, IMessageSink
    {
        public List<string> Failures { get; } = [];

        public bool QueueMessage(IMessageSinkMessage message) => OnMessage(message);

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestFailed failed) Failures.Add(string.Join('\n', failed.Messages));
            return true;
        }

        public void Dispose()
        {
        }
    }
}
