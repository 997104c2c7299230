using LoRA2.Native.Communication;
using LoRA2.Native.Distributed.Tests.InProcess;
using LoRA2.Native.Distributed.Watching;
using LoRA2.Native.Training.Distribution;

namespace LoRA2.Native.Distributed.Tests.Watching;

public sealed class ProcessWatchTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Fact]
    public void AProcessWhoseConnectionBreaksIsNamedByTheFirstAndToldToTheOthers()
    {
        ProcessFailure?[] failures = Members.Each(4, member =>
        {
            using ProcessWatch watch = Started(member);
            Assert.True(watch.IsComplete);
            member.Barrier();
            if (member.Rank == 2) return null;
            Assert.True(watch.Failed.WaitHandle.WaitOne(Long));
            // It is the first that says so, and nobody leaves before.
            Thread.Sleep(200);
            return watch.Failure;
        });
        Assert.Equal(3, failures.Count(failure => failure?.Message.StartsWith("process 2 of 4 on ", StringComparison.Ordinal) == true && failure.Message.EndsWith(" ended", StringComparison.Ordinal)));
        Assert.Equal([false, true, null, true], failures.Select(failure => failure?.IsSaid));
    }

    [Fact]
    public void WhoEndsByItselfSaysWhyAndWithWhichExitCode()
    {
        ProcessFailure?[] failures = Members.Each(3, member =>
        {
            using ProcessWatch watch = Started(member);
            member.Barrier();
            if (member.Rank == 1) watch.Abort("bad.tsv: no rows", 2);
            else Assert.True(watch.Failed.WaitHandle.WaitOne(Long));
            member.Barrier();
            return watch.Failure;
        });
        Assert.All(failures, failure => Assert.EndsWith(": bad.tsv: no rows", failure!.Message, StringComparison.Ordinal));
        Assert.All(failures, failure => Assert.Equal(2, failure!.ExitCode));
    }

    [Fact]
    public void WhoLeavesIsNotMissed() => Assert.All(Members.Each(3, member =>
    {
        using ProcessWatch watch = Started(member);
        watch.Leave();
        member.Barrier();
        Thread.Sleep(100);
        member.Barrier();
        return watch.Failure;
    }), Assert.Null);

    [Fact]
    public void ASlowProcessIsNamedOnce()
    {
        var named = Members.Each(3, member =>
        {
            var words = new StepWords(member, 1);
            var slow = new SlowProcess(member);
            var found = new List<(int Rank, double Ratio)>();
            for (int step = 0; step < 60; step++)
            {
                // The second has half the tokens and as long; the third has the same pace as the first.
                words.Exchange(new StepWord(false, member.Rank == 2 ? 0.2f : 0.1f, member.Rank == 1 ? 50 : member.Rank == 2 ? 200 : 100), [true]);
                if (slow.After(words) is { } one) found.Add(one);
            }

            return found;
        });
        Assert.All(named, found => Assert.Equal((1, 2.0), (Assert.Single(found).Rank, Math.Round(found[0].Ratio, 3))));
    }

    [Fact]
    public void AProcessWithoutPartsIsNotSlow() => Assert.All(Members.Each(3, member =>
    {
        var words = new StepWords(member, 1);
        var slow = new SlowProcess(member);
        bool named = false;
        for (int step = 0; step < 60; step++)
        {
            words.Exchange(new StepWord(false, 0.1f, member.Rank == 2 ? 0 : 100), [true]);
            named |= slow.After(words) is not null;
        }

        return named;
    }), Assert.False);

    private static ProcessWatch Started(Communicator member)
    {
        var watch = new ProcessWatch(member, Long);
        watch.Start();
        return watch;
    }
}
