// Semantic search over a folder of texts: a vector a file, and the files that are nearest to a question. Any sentence-transformers folder will do, or any encoder's.
using LoRA2.Native.Embeddings;
using LoRA2.Native.Inference;

string model = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/QuickStart/deberta-v3-tiny-wiki", folder = args.Length > 1 ? args[1] : "src/Samples/SemanticSearch/texts";
string[] files = [.. Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal)];
string[] questions = args.Length > 2 ? args[2..] : ["What do bees do in winter?", "How is bread made with flour and yeast?"];

using TextEmbedder embedder = TextEmbedder.Load(model);
using var index = new VectorIndex(embedder.Dimensions);
foreach (TextVector vector in embedder.EmbedDocuments([.. files.Select(File.ReadAllText)])) index.Add(vector.Values);
Console.WriteLine($"{index.Count} texts, {index.Dimensions} dimensions");

IReadOnlyList<TextVector> asked = embedder.EmbedQueries(questions);
for (int i = 0; i < questions.Length; i++)
{
    Neighbour best = index.Search(asked[i].Values, 1)[0];
    Console.WriteLine($"{questions[i]} {Path.GetFileName(files[best.Index])} ({best.Score:F3})");
}
