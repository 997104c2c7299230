using System.Text.Json;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Cli.Tests.Kinds;

/// <summary>A cross-encoder from training to ranking.</summary>
public sealed class RankingTests : IDisposable
{
    private static readonly string[] Things = ["box", "car", "house", "tree", "book"];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AReRankerIsTrainedScoredByQueryAndLoaded()
    {
        string model = TinyModel.Write(folder), train = folder.Write("train.tsv", Pairs(0, 24)), dev = folder.Write("dev.tsv", Pairs(24, 8)), output = folder.File("out"), merged = folder.File("merged");
        JsonElement run = Lora2.Run("finetune", "--model", model, "--train", train, "--dev", dev, "--task", "ranking", "--method", "lora", "--rank", "4", "--learning-rate", "2e-2", "--epochs", "8", "--batch-size", "8", "--output", output, "--json").Done().Json;
        Assert.Equal(["query_ndcg_10", "query_mrr_10", "query_map"], run.GetProperty("metrics").EnumerateObject().Select(metric => metric.Name));
        // Good documents have the word "good": with one of five, guessing gives a reciprocal rank of 0.46.
        double score = run.GetProperty("metrics").GetProperty("query_mrr_10").GetDouble();
        Assert.True(score > 0.9, $"MRR@10 {score}");
        Assert.Equal("bce", run.GetProperty("settings").GetProperty("loss").GetString());
        Lora2.Run("merge", "--model", model, "--adapter", output, "--output", merged).Done();
        foreach (string[] where in (string[][])[["--model", model, "--adapter", output], ["--model", merged], ["--model", merged, "--task", "ranking"]])
            Assert.Equal(score, Lora2.Run(["evaluate", .. where, "--file", dev, "--json"]).Done().Json.GetProperty("metrics").GetProperty("query_mrr_10").GetDouble(), 1e-6);

        using TextReranker reranker = TextReranker.Load(model, output);
        RankedText best = reranker.Rank("find a tree", [.. Things.Select(thing => $"a {(thing == "house" ? "good" : "bad")} {thing}")])[0];
        Assert.Equal(2, best.Index);
        Assert.InRange(best.Score, 0, 1);
    }

    [Fact]
    public void GradedRelevancesAreLearnedBySquaredErrorAndTheHeldOutPartIsOfWholeQueries()
    {
        string model = TinyModel.Write(folder), train = folder.Write("train.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"query\": \"find {i % 10}\", \"passage\": \"{Things[i / 10]} {i}\", \"relevance\": {i / 10}}}\n")));
        JsonElement run = Lora2.Run("finetune", "--model", model, "--train", train, "--task", "ranking", "--max-steps", "2", "--output", folder.File("out"), "--json").Done().Json;
        Assert.Equal("mse", run.GetProperty("settings").GetProperty("loss").GetString());
        Assert.Equal(4, run.GetProperty("data").GetProperty("dev_examples").GetInt32());
        Assert.Contains("example 21 has the relevance 2; the loss bce takes 0 to 1", Lora2.Run("finetune", "--model", model, "--train", train, "--dev", train, "--task", "ranking", "--loss", "bce", "--output", folder.File("two")).Refused(), StringComparison.Ordinal);
        Assert.Contains("option --loss is 'triplet'; bce, mse can be", Lora2.Run("finetune", "--model", model, "--train", train, "--task", "ranking", "--loss", "triplet", "--output", folder.File("two")).Refused(), StringComparison.Ordinal);
    }

    private static string Pairs(int first, int count) => "query\tdocument\trelevance\n" + string.Concat(Enumerable.Range(first, count).SelectMany(query => Things.Select((thing, i) =>
        $"find a {Things[query % 5]} number {query}\ta {(i == query * 3 % 5 ? "good" : "bad")} {thing}\t{(i == query * 3 % 5 ? 1 : 0)}\n")));
}
