using FsCheck;
using FsCheck.Experimental;
using FsCheck.Fluent;
using LoRA2.Native.Experiments;

namespace LoRA2.Native.Cli.Tests.RunLife;

/// <summary>
/// The life of an output folder: runs are started, killed at any operation on the disk, resumed, overwritten, asked for with other options and other data, beside another
/// process, and over damaged files. LORA2_LIFE_RUNS sets how many lives there are; CI has a few.
/// </summary>
public sealed class RunLifeTests
{
    private static readonly int Lives = int.TryParse(Environment.GetEnvironmentVariable("LORA2_LIFE_RUNS"), out int lives) ? lives : 12;

    [Fact]
    public void WhatIsOnDiskIsWhatWasSaid() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(Lives), new Life().ToProperty());

    private sealed class Life() : Machine<LivedFolder, int>(8)
    {
        public override Arbitrary<Setup<LivedFolder, int>> Setup => Gen.Fresh<Setup<LivedFolder, int>>(() => new Birth()).ToArbitrary();

        public override TearDown<LivedFolder> TearDown => new Death();

        public override Gen<Operation<LivedFolder, int>> Next(int model)
        {
            Gen<int> variants = Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Choose(1, LivedFolder.Variants - 1)));
            Gen<Start> starts = Gen.Frequency((1, Gen.Constant(Start.Fresh)), (3, Gen.Constant(Start.Resume)), (2, Gen.Constant(Start.Overwrite)));
            Gen<Operation<LivedFolder, int>> runs = from start in starts from variant in variants select (Operation<LivedFolder, int>)new Finetune(start, variant);
            Gen<Operation<LivedFolder, int>> killed = from start in starts from variant in variants from kill in Gen.Choose(0, 999) select (Operation<LivedFolder, int>)new Killed(start, variant, kill / 1000.0);
            Gen<Operation<LivedFolder, int>> held = from start in starts from variant in variants select (Operation<LivedFolder, int>)new Held(start, variant);
            Gen<Operation<LivedFolder, int>> damaged = from checkpoint in Gen.Elements(true, true, false) select (Operation<LivedFolder, int>)new Damaged(checkpoint);
            return Gen.Frequency((3, runs), (4, killed), (1, held), (1, damaged), (1, Gen.Constant<Operation<LivedFolder, int>>(new Asked())));
        }
    }

    private sealed class Birth : Setup<LivedFolder, int>
    {
        public override LivedFolder Actual() => new();

        public override int Model() => 0;
    }

    private sealed class Death : TearDown<LivedFolder>
    {
        public override void Actual(LivedFolder actual) => actual.Dispose();
    }

    /// <summary>The model counts operations alone: what must be there after one follows from what was there before it, which a killed process leaves to chance.</summary>
    private abstract class Event : Operation<LivedFolder, int>
    {
        public override int Run(int model) => model + 1;

        public override Property Check(LivedFolder actual, int model)
        {
            Verify(actual);
            return true.ToProperty();
        }

        protected abstract void Verify(LivedFolder folder);

        /// <summary>What a run is refused for, as things are; null when it isn't.</summary>
        protected static string? Refusal(LivedFolder folder, Start start, int variant)
        {
            var run = new RunFolder(folder.Output);
            switch (start)
            {
                case Start.Overwrite:
                    return null;
                case Start.Fresh:
                    return run.HasCheckpoint ? "there is an interrupted run" : run.Result is null ? null : "there is a result already";
                default:
                    if (run.IsFinished) return folder.IsAdapterDamaged || folder.Adapter == variant ? null : "the run there is finished and had other ";
                    return folder.Checkpoint is not { } checkpoint ? null : checkpoint.IsDamaged ? "checkpoint.safetensors: " : checkpoint.Variant == variant ? null : "belongs to a run with other ";
            }
        }

        protected static void RequireFinished(LivedFolder folder, int variant)
        {
            Assert.Equal(variant, folder.Adapter);
            Assert.True(new RunFolder(folder.Output).IsFinished);
            Assert.DoesNotContain(folder.Files.Keys, name => name.StartsWith('.') || name.StartsWith("checkpoint", StringComparison.Ordinal));
        }

        protected static void RequireUntouched(Dictionary<string, byte[]> before, Dictionary<string, byte[]> after)
        {
            Assert.Equal(before.Keys.Order(), after.Keys.Order());
            Assert.All(before, file => Assert.True(file.Value.AsSpan().SequenceEqual(after[file.Key]), file.Key));
        }
    }

    private sealed class Finetune(Start start, int variant) : Event
    {
        public override string ToString() => $"{start} {variant}";

        protected override void Verify(LivedFolder folder)
        {
            Dictionary<string, byte[]> before = folder.Files;
            // A resumed run that is finished answers from its record, whatever happened to its adapter since.
            bool isOver = start == Start.Resume && new RunFolder(folder.Output).IsFinished;
            if (isOver && folder.IsAdapterDamaged) return;
            string? refusal = Refusal(folder, start, variant);
            CommandResult result = folder.Finetune(start, variant, kill: null);
            if (refusal is not null)
            {
                Assert.Contains(refusal, result.Refused(), StringComparison.Ordinal);
                RequireUntouched(before, folder.Files);
                return;
            }

            result.Done();
            Assert.Equal(isOver, result.Output.Contains("is finished already", StringComparison.Ordinal));
            if (isOver) RequireUntouched(before, folder.Files);
            RequireFinished(folder, variant);
        }
    }

    private sealed class Killed(Start start, int variant, double at) : Event
    {
        private const int Beginning = 20;

        public override string ToString() => $"{start} {variant}, killed at {at}";

        protected override void Verify(LivedFolder folder)
        {
            int? before = folder.Adapter, cutOff = folder.CutOff;
            bool wasDamaged = folder.IsAdapterDamaged;
            bool wasThere = folder.Files.ContainsKey("adapter_config.json");
            folder.Finetune(start, variant, at);
            bool isThere = folder.Files.ContainsKey("adapter_config.json");
            if (!isThere) Assert.True(!wasThere || folder.CutOff is not null, "the adapter is gone");
            else if (!wasDamaged || folder.Adapter is not null) Assert.True(folder.Adapter is { } found && (found == variant || found == before || found == cutOff), $"the adapter is neither {before} nor {variant}");
            // It was more than refused, or killed before it could say that it had begun.
            if (folder.Operations > Beginning) Assert.True(!new RunFolder(folder.Output).IsFinished || folder.Adapter == variant, "an earlier run passes for this one");
        }
    }

    private sealed class Held(Start start, int variant) : Event
    {
        public override string ToString() => $"{start} {variant}, beside another process";

        protected override void Verify(LivedFolder folder)
        {
            using FileStream other = new RunFolder(folder.Output).Hold();
            Dictionary<string, byte[]> before = folder.Files;
            string? refusal = start == Start.Fresh ? Refusal(folder, start, variant) : null;
            Assert.Contains(refusal ?? "another process writes to this folder", folder.Finetune(start, variant, kill: null).Refused(), StringComparison.Ordinal);
            RequireUntouched(before, folder.Files);
        }
    }

    private sealed class Damaged(bool checkpoint) : Event
    {
        public override string ToString() => checkpoint ? "the checkpoint is damaged" : "the adapter is damaged";

        protected override void Verify(LivedFolder folder) => folder.Damage(checkpoint);
    }

    private sealed class Asked : Event
    {
        public override string ToString() => "predict";

        protected override void Verify(LivedFolder folder)
        {
            CommandResult answer = folder.Predict();
            if (folder.Adapter is { } variant) Assert.Equal(LivedFolder.AnswerOf(variant), answer.Done().Output);
            else answer.Refused();
        }
    }
}
