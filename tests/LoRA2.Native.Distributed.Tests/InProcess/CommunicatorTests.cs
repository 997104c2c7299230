using FsCheck;
using FsCheck.Xunit;
using LoRA2.Native.Communication;
using LoRA2.Native.Files;

namespace LoRA2.Native.Distributed.Tests.InProcess;

public sealed class CommunicatorTests
{
    [Property(MaxTest = 30)]
    public void AllReduceIsTheTreesSumInEveryMember(PositiveInt members, byte count, int seed)
    {
        int size = 1 + (members.Get % 9);
        float[][] values = [.. Enumerable.Range(0, size).Select(rank => Drawn(count, seed + rank))];
        float[] expected = [.. Enumerable.Range(0, count).Select(i => Tree([.. values.Select(own => own[i])]))];
        float[][] sums = Members.Each(size, member =>
        {
            float[] own = [.. values[member.Rank]];
            member.AllReduce(own);
            return own;
        });
        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    [Fact]
    public void BFloat16IsSummedInFloat32AndRoundedOnce()
    {
        // 1 + 2⁻⁸ three times: bfloat16 has no number between 1 and 1 + 2⁻⁷, so summing in it would lose every one of them.
        ushort[] parts = [0x3F80, 0x3B80, 0x3B80, 0x3B80];
        ushort[][] sums = Members.Each(4, member =>
        {
            ushort[] own = [parts[member.Rank]];
            member.AllReduceBFloat16(own);
            return own;
        });
        Assert.All(sums, sum => Assert.Equal(0x3F82, sum[0]));
    }

    [Fact]
    public void DoublesToo() => Assert.All(Members.Each(3, member =>
    {
        double[] own = [member.Rank + 0.5];
        member.AllReduce(own);
        return own[0];
    }), sum => Assert.Equal(4.5, sum));

    [Fact]
    public void BroadcastGathersAndExchangesBringWhatWasSent()
    {
        Assert.All(Members.Each(5, member =>
        {
            Span<int> told = [member.Rank == 3 ? 42 : 0];
            member.Broadcast(told, 3);
            return told[0];
        }), told => Assert.Equal(42, told));
        Assert.All(Members.Each(3, member => member.AllGatherText(new string('x', member.Rank))), texts => Assert.Equal(["", "x", "xx"], texts));
        int[][] received = Members.Each(3, member =>
        {
            int[] from = new int[3];
            member.AllToAll<int>([10 * member.Rank, (10 * member.Rank) + 1, (10 * member.Rank) + 2], [1, 1, 1], from, [1, 1, 1]);
            return from;
        });
        Assert.Equal([[0, 10, 20], [1, 11, 21], [2, 12, 22]], received);
    }

    [Fact]
    public void AMemberThatGivesUpEndsTheOthersWithItsReason()
    {
        CommunicationException e = Assert.Throws<CommunicationException>(() => Members.Each(3, member =>
        {
            if (member.Rank == 1) member.Abort("no memory");
            else member.Barrier();
            return 0;
        }));
        Assert.Contains("process 1 of 3", e.Message, StringComparison.Ordinal);
        Assert.Contains("no memory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatProcess0FindsWrongAllFindWrong() =>
        Assert.Equal("bad.tsv: no rows", Assert.Throws<InputException>(() => Members.Each(3, member =>
        {
            member.OnFirst(() => throw new InputException("bad.tsv: no rows"));
            return 0;
        })).Message);

    [Property(MaxTest = 200)]
    public void BranchesOfAnyCutMakeUpTheTree(byte parts, byte members)
    {
        int count = 1 + parts, size = 1 + (members % 40);
        string[] leaves = [.. Enumerable.Range(0, count).Select(i => $"{i}")];
        string Whole(int first, int end) => end - first == 1 ? leaves[first] : SumTree.Half(end - first) is var half ? $"({Whole(first, first + half)}+{Whole(first + half, end)})" : "";
        var sums = new List<string>();
        for (int rank = 0; rank < size; rank++)
        {
            (int first, int end) = SumTree.Share(count, rank, size);
            var branches = new List<(int First, int Size)>();
            SumTree.Branches(first, end, branches);
            Assert.Equal(end - first, branches.Sum(branch => branch.Size));
            foreach ((int at, int width) in branches)
            {
                sums.Add(Whole(at, at + width));
                for (int merges = SumTree.Completed(0, at, width); merges > 0; merges--) Merge();
            }
        }

        while (sums.Count > 1) Merge();
        Assert.Equal(Whole(0, count), sums[0]);

        void Merge()
        {
            sums[^2] = $"({sums[^2]}+{sums[^1]})";
            sums.RemoveAt(sums.Count - 1);
        }
    }

    private static float[] Drawn(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 7))))];
    }

    private static float Tree(float[] values) => values.Length == 1 ? values[0] : Tree(values[..SumTree.Half(values.Length)]) + Tree(values[SumTree.Half(values.Length)..]);
}
