using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Communication;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Training;

namespace LoRA2.Native.Distributed.Tests.InProcess;

/// <summary>The bits of a run are those of one process with as many parts of a batch, however many compute them.</summary>
public sealed class SameBitsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Methods => [.. AdapterMethods.All.Select(method => method.Name)];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Methods))]
    public void OfEveryMethod(string method)
    {
        byte[] alone = Bits(1, method);
        foreach (int size in (int[])[2, 3, 4, 8]) Assert.Equal(alone, Bits(size, method));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(5)]
    public void OfANumberOfPartsThatIsNoPowerOfTwo(int parts)
    {
        TrainingOptions options = SmallRun.Options with { BatchSize = parts, Accumulation = parts };
        byte[] alone = Bits(1, "lora2", options);
        foreach (int size in (int[])[2, 3, 4, 5]) Assert.Equal(alone, Bits(size, "lora2", options));
    }

    [Fact]
    public void OfMaskedLanguageModellingWhosePartsWeighDifferently() => Assert.Equal(Bits(1, "full", masked: true), Bits(3, "full", masked: true));

    [Fact]
    public void WithRecomputation() => Assert.Equal(Bits(1, "lora2"), Bits(4, "lora2", SmallRun.Options with { Recompute = true }));

    /// <summary>Summing in a tree is another rounding than the whole batch at once, and no other sum.</summary>
    [Fact]
    public void PartsGiveTheGradientOfTheWholeBatch()
    {
        double[] Norms(int parts)
        {
            using var run = new SmallRun("full", null, SmallRun.Options with { Accumulation = parts, MaxSteps = 1 }, dropout: 0);
            run.Trainer.Run();
            return [run.Trainer.Series[0].Loss, run.Trainer.Series[0].GradientNorm];
        }

        double[] whole = Norms(1);
        foreach (int parts in (int[])[2, 3, 4, 8]) Assert.All(Norms(parts).Zip(whole), pair => Assert.InRange(pair.First, pair.Second * (1 - 1e-5), pair.Second * (1 + 1e-5)));
    }

    [Fact]
    public void ARunThatWasStoppedGoesOnWithAnotherNumberToTheSameBits()
    {
        byte[] alone = Bits(1, "lora2");
        int before = 1;
        foreach ((int first, int second) in ((int, int)[])[(1, 3), (3, 1), (2, 8), (8, 2)])
        {
            string checkpoint = folder.File($"{before++}.safetensors");
            Assert.Throws<OperationCanceledException>(() => Members.Each(first, member =>
            {
                using var run = new SmallRun("lora2", member);
                using var stop = new CancellationTokenSource();
                // One member alone is asked to stop, after its third step.
                var progress = new StopAfter(member.Rank == first - 1 ? 3 : int.MaxValue, stop);
                run.Trainer.Run(checkpoint, progress, stop.Token);
                return 0;
            }));
            byte[][] resumed = Members.Each(second, member =>
            {
                using var run = new SmallRun("lora2", member);
                run.Trainer.Resume(member.IsFirst ? checkpoint : folder.File("not there"));
                Assert.InRange(run.Trainer.Step, 3, 5);
                run.Trainer.Run(checkpoint);
                return run.Bits();
            });
            Assert.All(resumed, bits => Assert.Equal(alone, bits));
        }
    }

    [Fact]
    public void AMemberThatFailsEndsTheOthersAndTheCheckpointGoesOn()
    {
        string checkpoint = folder.File("checkpoint.safetensors");
        Exception e = Assert.ThrowsAny<Exception>(() => Members.Each(3, member =>
        {
            using var run = new SmallRun("lora2", member);
            run.Trainer.Run(checkpoint, member.Rank == 1 ? new AtStep(4, () => throw new InvalidDataException("a defect")) : null);
            return 0;
        }));
        Assert.IsType<InvalidDataException>(e);
        byte[][] resumed = Members.Each(2, member =>
        {
            using var run = new SmallRun("lora2", member);
            run.Trainer.Resume(checkpoint);
            Assert.InRange(run.Trainer.Step, 3, 5);
            run.Trainer.Run();
            return run.Bits();
        });
        Assert.All(resumed, bits => Assert.Equal(Bits(1, "lora2"), bits));
    }

    /// <summary>Whatever it is that one member alone finds: between two steps, or in the middle of one, while its gradients are on their way.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheOthersAreToldWhatOneMemberAloneFinds(bool inAStep)
    {
        string[] ends = Members.Each(3, member =>
        {
            using var run = new SmallRun("lora2", member, SmallRun.Options with { DetectAnomaly = true });
            IProgress<TrainingProgress>? progress = member.Rank != 1 ? null : inAStep
                ? new AtStep(2, () => run.Model.Parameters.First().Value.AsSpan<float>().Fill(float.NaN))
                : new AtStep(2, () => throw new InputException("odd.tsv: no rows"));
            return Assert.ThrowsAny<Exception>(() => run.Trainer.Run(null, progress)) switch
            {
                CommunicationException other => $"told: {other.Message}",
                Exception own => own.Message,
            };
        });
        string expected = inAStep ? "at step 3 of 6" : "odd.tsv: no rows";
        Assert.All([ends[0], ends[2]], end => Assert.StartsWith("told: process 1 of 3 on ", end, StringComparison.Ordinal));
        Assert.DoesNotContain("told", ends[1], StringComparison.Ordinal);
        Assert.All(ends, end => Assert.Contains(expected, end, StringComparison.Ordinal));
    }

    [Fact]
    public void AMemberWhoseRunIsNotTheCheckpointsIsNamedWithTheCheckpoint()
    {
        string checkpoint = folder.File("checkpoint.safetensors");
        using (var run = new SmallRun("lora2", null)) run.Trainer.Save(checkpoint);
        InputException e = Assert.Throws<InputException>(() => Members.Each(3, member =>
        {
            using var run = new SmallRun("lora2", member, otherData: member.Rank == 2);
            run.Trainer.Resume(member.IsFirst ? checkpoint : folder.File("not there"));
            return 0;
        }));
        Assert.StartsWith("process 2 of 3 on ", e.Message, StringComparison.Ordinal);
        Assert.Contains($": {checkpoint}: the checkpoint belongs to a run ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedCheckpointIsRefusedByAllWithTheSameWords()
    {
        string checkpoint = folder.Write("checkpoint.safetensors", "nothing of the kind");
        InputException e = Assert.Throws<InputException>(() => Members.Each(3, member =>
        {
            using var run = new SmallRun("lora2", member);
            run.Trainer.Resume(checkpoint);
            return 0;
        }));
        Assert.Contains("checkpoint.safetensors", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMemberWithOtherDataIsNamed()
    {
        InputException e = Assert.Throws<InputException>(() => Members.Each(3, member =>
        {
            using var run = new SmallRun("lora2", member, otherData: member.Rank == 2);
            run.Trainer.Run();
            return 0;
        }));
        Assert.Contains("process 2 of 3", e.Message, StringComparison.Ordinal);
        Assert.Contains("other data", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Seven parts of 8 would be of one and two examples; they are four of two.</summary>
    [Theory]
    [InlineData(2, 3, 2)]
    [InlineData(7, 5, 4)]
    public void MoreMembersThanPartsAreRefused(int accumulation, int members, int parts)
    {
        InputException e = Assert.Throws<InputException>(() => Members.Each(members, member =>
        {
            using var run = new SmallRun("lora2", member, SmallRun.Options with { Accumulation = accumulation });
            return 0;
        }));
        Assert.Contains($"a batch of 8 has {parts} parts (--accumulation) for {members} processes", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Of two processes each sends what is trained, once, and not the model.</summary>
    [Theory]
    [InlineData("lora2")]
    [InlineData("full")]
    public void AStepSendsWhatIsTrainedOnceAndNoMore(string method)
    {
        TrainingOptions options = SmallRun.Options with { Accumulation = 2, MaxSteps = 5, EvaluateEvery = 100 };
        (long sent, long trained)[] each = Members.Each(2, member =>
        {
            using var run = new SmallRun(method, member, options);
            long before = 0;
            run.Trainer.Run(progress: new AtStep(3, () => before = member.BytesSent));
            return (before, 4L * run.Model.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count));
        });
        // Three steps, each of a half that is sent to be summed, a half of the sums, and some words; the agreement before them is a few kilobytes.
        foreach ((long sent, long trained) in each) Assert.InRange(sent, 3 * trained, (3 * trained) + 20_000);
    }

    private byte[] Bits(int size, string method, TrainingOptions? options = null, bool masked = false)
    {
        byte[][] all = Members.Each(size, member =>
        {
            using var run = new SmallRun(method, member, options, masked: masked);
            run.Trainer.Run(folder.File(string.Create(CultureInfo.InvariantCulture, $"{method}-{size}.safetensors")));
            return run.Bits();
        });
        Assert.All(all, bits => Assert.Equal(all[0], bits));
        return all[0];
    }

    private sealed class StopAfter(int step, CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step) stop.Cancel();
        }
    }

    private sealed class AtStep(int step, Action action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step) action();
        }
    }
}
