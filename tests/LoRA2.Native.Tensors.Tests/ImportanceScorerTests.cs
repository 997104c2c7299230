using FsCheck.Xunit;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Equations 6 to 9 against a plain implementation, and what the reduced mode saves.</summary>
public sealed class ImportanceScorerTests
{
    [Property(MaxTest = 60)]
    public void AveragesAndScoresAreThoseOfThePlainRecurrences(CaseSource source)
    {
        using var scope = new TensorScope();
        (int inputs, int outputs, int k, int r) = (source.Extent(11), source.Extent(11), source.Extent(8, least: 1), source.Extent(8));
        LoRA2Factors factors = LoRA2LinearTests.Factors(source, inputs, outputs, k, r);
        (double beta1, double beta2) = (source.Int(0, 99) / 100.0, source.Int(0, 99) / 100.0);
        using var reduced = new ImportanceScorer(factors, ImportanceMode.Reduced, beta1, beta2);
        using var full = new ImportanceScorer(factors, ImportanceMode.Full, beta1, beta2);
        PlainSensitivity[] plain = [.. factors.Select(factor => new PlainSensitivity(factor, beta1, beta2))];
        for (int step = 0; step < 5; step++)
        {
            foreach (Tensor factor in factors)
            {
                factor.CopyFrom(source.Values(factor.Shape, requiresGrad: false));
                factor.Grad = step == 2 ? null : source.Values(factor.Shape, requiresGrad: false);
            }

            reduced.Update();
            full.Update();
            foreach (PlainSensitivity sensitivity in plain) sensitivity.Update();
            double constant = (plain[0].Values.Sum() + plain[4].Values.Sum()) / k;
            double[] inFull = full.Scores();
            double[] inReduced = reduced.Scores();
            for (int i = 0; i < r; i++)
            {
                double expected = plain[2].Values[i] + Enumerable.Range(0, k).Sum(j => (plain[1].Values[(j * r) + i] + plain[3].Values[(i * k) + j]) / k);
                Assert.Equal(expected, inReduced[i], 1e-12 * (1 + expected));
                Assert.Equal(expected + constant, inFull[i], 1e-12 * (1 + expected + constant));
            }

            for (int i = 0; i < r * r; i++)
            {
                (int a, int b) = (i / r, i % r);
                if (inReduced[a] < inReduced[b]) Assert.True(inFull[a] <= inFull[b], $"singular values {a} and {b} change places");
                if (inReduced[b] - inReduced[a] > 1e-14 * inFull[b]) Assert.True(inFull[a] < inFull[b], $"singular values {a} and {b} become equal");
            }
        }
    }

    /// <summary>With u and 𝒱 gone any access to them would throw; and the number of elements does not depend on the layer's width.</summary>
    [Property(MaxTest = 30)]
    public void TheReducedScorerTouchesTheInnerFactorsOnly(CaseSource source)
    {
        using var scope = new TensorScope();
        (int k, int r) = (source.Extent(8), source.Extent(8));
        foreach (int width in new[] { 1, 13, 1024 })
        {
            LoRA2Factors factors = LoRA2LinearTests.Factors(source, width, 2 * width, k, r);
            foreach (Tensor factor in factors) factor.Grad = source.Values(factor.Shape, requiresGrad: false);
            using var scorer = new ImportanceScorer(factors);
            factors.OuterLeft.Dispose();
            factors.OuterRight.Dispose();
            if (k > 0) Assert.Throws<ObjectDisposedException>(() => factors.OuterLeft.ToArray<double>());
            scorer.Update();
            Assert.Equal(r, scorer.Scores().Length);
            Assert.Equal(r + (2 * k * r), scorer.ElementsPerUpdate);
            Assert.Equal(2 * (r + (2 * k * r)), scorer.State.Sum(state => state.Values.Count));
        }
    }

    /// <summary>Whatever the threads, the scores of many scorers of both types have the bits of sums in double, element after element and factor after factor.</summary>
    [Property(MaxTest = 20)]
    public void TheScoresOfManyScorersAreSumsInOrder(CaseSource source)
    {
        using var scope = new TensorScope();
        var scorers = new List<ImportanceScorer>();
        var expected = new List<double>();
        for (int i = source.Int(0, 30); i > 0; i--)
        {
            (int rank, int width) = (source.Extent(8), source.Extent(20));
            DType dtype = source.Flag() ? DType.Float32 : DType.Float64;
            Tensor Zeros(params int[] shape) => Tensor.Zeros(new Shape(shape), dtype);
            ScoredFactor[] factors = [new("lambda", Zeros(rank), 0, 1), new("rows", Zeros(rank, width), 0, 3), new("columns", Zeros(width, rank), 1, 7), new("all", Zeros(width, 2), null, 5)];
            var scorer = new ImportanceScorer(factors);
            foreach ((_, Tensor values) in scorer.State) values.CopyFrom(source.Values(values.Shape, requiresGrad: false).To(dtype));
            double[][] sensitivities = [.. scorer.Sensitivities.ToArray().Select(sensitivity =>
                sensitivity.Average.To(DType.Float64).ToArray<double>().Zip(sensitivity.Uncertainty.To(DType.Float64).ToArray<double>(), (mean, spread) => mean * spread).ToArray())];
            double Sum(int factor, Func<int, bool> counts) => sensitivities[factor].Where((_, place) => counts(place)).Aggregate(0.0, (sum, value) => sum + value);
            for (int r = 0; r < rank; r++)
            {
                double score = 0;
                score += Sum(0, place => place == r) / 1;
                score += Sum(1, place => place / width == r) / 3;
                score += Sum(2, place => place % rank == r) / 7;
                expected.Add(score + (Sum(3, _ => true) / 5));
            }

            scorers.Add(scorer);
        }

        double[] found = new double[expected.Count];
        int before = ThreadTeam.Count;
        try
        {
            foreach (int threads in (int[])[1, 2, 5])
            {
                ThreadTeam.Count = threads;
                found.AsSpan().Fill(double.NaN);
                ImportanceScorer.Scores([.. scorers], found);
                Assert.Equal(expected, found);
            }
        }
        finally
        {
            ThreadTeam.Count = before;
        }

        Assert.Throws<ArgumentException>(() => ImportanceScorer.Scores([.. scorers], new double[found.Length + 1]));
        foreach (ImportanceScorer scorer in scorers) scorer.Dispose();
    }

    [Fact]
    public void WhatIsNotKeptIsZero()
    {
        using var scope = new TensorScope();
        Tensor[] tensors = [Tensor.Full([3], 2), Tensor.Full([0], 2), Tensor.Full([2, 2], double.NaN, DType.Float64), Tensor.Full([], 4)];
        Device.Cpu.Kernels.Prune(tensors, Tensor.From([0, 1, -7, 1, 0, 0, 1, 0], [8]));
        Assert.Equal([0f, 2, 2], tensors[0].ToArray<float>());
        Assert.Equal([double.NaN, 0, 0, double.NaN], tensors[2].ToArray<double>());
        Assert.Equal(0, tensors[3].Item());
    }

    [Fact]
    public void TensorsOneAfterTheOther()
    {
        using var scope = new TensorScope();
        foreach (DType dtype in (DType[])[DType.Float32, DType.Float64])
        {
            Tensor y = Tensor.Empty([3, 2], dtype);
            Device.Cpu.Kernels.Concatenate([Tensor.Full([3], 1, dtype), Tensor.Full([0, 5], 2, dtype), Tensor.Full([1, 2], 3, dtype), Tensor.Full([], 4, dtype)], y);
            Assert.Equal([1.0, 1, 1, 3, 3, 4], y.To(DType.Float64).ToArray<double>());
        }
    }

    /// <summary>METHODS.md: d = 768, r = 8, k = 1 keeps 24 of 1,560 sensitivities.</summary>
    [Fact]
    public void ThePapersSavingIsReached()
    {
        using var scope = new TensorScope();
        LoRA2Factors factors = LoRA2LinearTests.Factors(new CaseSource(1), 768, 768, 1, 8);
        using var reduced = new ImportanceScorer(factors);
        using var full = new ImportanceScorer(factors, ImportanceMode.Full);
        Assert.Equal((24, 1560), (reduced.ElementsPerUpdate, full.ElementsPerUpdate));
    }

    /// <summary>Checkpoints have the averages by these names.</summary>
    [Fact]
    public void TheAveragesHaveTheirFactorsNamesAndAreFreedWithTheScorer()
    {
        using var scope = new TensorScope();
        Tensor lambda = Tensor.Full([3], 2, DType.Float64), rows = Tensor.Full([3, 2], 2, DType.Float64);
        var scorer = new ImportanceScorer([new("lambda", lambda, 0, 1), new("rows", rows, 0, 2)]);
        (string Name, Tensor Values)[] state = [.. scorer.State];
        Assert.Equal(["lambda.mean", "lambda.uncertainty", "rows.mean", "rows.uncertainty"], state.Select(part => part.Name));
        Assert.Equal([3, 3, 6, 6], state.Select(part => part.Values.Count));
        lambda.Grad = Tensor.Full([3], 5, DType.Float64);
        rows.Grad = Tensor.Full([3, 2], -1, DType.Float64);
        scorer.Update();
        // |w g| is 10 and 2, and β1 and β2 are 0.85: means 1.5 and 0.3, uncertainties 0.15 × 8.5 and 0.15 × 1.7.
        foreach ((double expected, Tensor values) in new[] { 1.5, 1.275, 0.3, 0.255 }.Zip(state.Select(part => part.Values))) Assert.All(values.ToArray<double>(), value => Assert.Equal(expected, value, 1e-12));
        Assert.All(scorer.Scores(), score => Assert.Equal((1.5 * 1.275) + (0.3 * 0.255), score, 1e-12));
        scorer.Dispose();
        Assert.All(state, part => Assert.Throws<ObjectDisposedException>(() => part.Values.ToArray<double>()));
    }

    [Fact]
    public void WhatCannotBeScoredIsNamed()
    {
        using var scope = new TensorScope();
        Assert.Equal("factors", Assert.Throws<ArgumentNullException>(() => new ImportanceScorer((IReadOnlyList<ScoredFactor>)null!)).ParamName);
        Assert.Equal("factors", Assert.Throws<ArgumentNullException>(() => new ImportanceScorer((LoRA2Factors)null!)).ParamName);
        Tensor transposed = Ops.Transpose(Tensor.Zeros([3, 2], DType.Float32));
        var e = Assert.Throws<ArgumentException>(() => new ImportanceScorer([new("lambda", Tensor.Zeros([2], DType.Float32), 0, 1), new("columns", transposed, 0, 3)]));
        Assert.Equal("ImportanceScorer: factor columns is not contiguous", e.Message);
        using var scorer = new ImportanceScorer([new("lambda", Tensor.Zeros([2], DType.Float32), 0, 1)]);
        foreach (int room in (int[])[1, 3])
        {
            e = Assert.Throws<ArgumentException>(() => ImportanceScorer.Scores([scorer], new double[room]));
            Assert.Equal($"ImportanceScorer: room for {room} scores was given for 2 singular values", e.Message);
        }

        ImportanceScorer.Scores([], []);
        using var empty = new ImportanceScorer([new("lambda", Tensor.Zeros([0], DType.Float32), 0, 1), new("rows", Tensor.Zeros([0, 2], DType.Float32), 0, 1)]);
        Assert.Empty(empty.Scores());
        Assert.Equal(0, empty.Terms.Length);
    }

    private sealed class PlainSensitivity(Tensor weight, double beta1, double beta2)
    {
        private readonly double[] mean = new double[weight.Count];
        private readonly double[] uncertainty = new double[weight.Count];

        public double[] Values => [.. mean.Zip(uncertainty, (m, u) => m * u)];

        public void Update()
        {
            double[] w = weight.ToArray<double>();
            double[] g = weight.Grad?.ToArray<double>() ?? new double[w.Length];
            for (int i = 0; i < w.Length; i++)
            {
                double importance = Math.Abs(w[i] * g[i]);
                mean[i] = (beta1 * mean[i]) + ((1 - beta1) * importance);
                uncertainty[i] = (beta2 * uncertainty[i]) + ((1 - beta2) * Math.Abs(importance - mean[i]));
            }
        }
    }
}
