// Semantic search over a folder of texts: a vector a file, kept in SQLite, and the files that are nearest to a question. Only new and changed files are computed. Any sentence-transformers folder will do, or any encoder's.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Inference;
using Microsoft.Data.Sqlite;

string model = args.Length > 0 ? args[0] : "src/LoRA2.Native.Cli/bin/Release/net10.0/QuickStart/all-minilm-l6-v2", database = args.Length > 1 ? args[1] : "search.db", folder = args.Length > 2 ? args[2] : "src/Samples/SemanticSearch/texts";
string[] questions = args.Length > 3 ? args[3..] : ["What do bees do in winter?", "How is bread made with flour and yeast?"];

using TextEmbedder embedder = TextEmbedder.Load(model);
using var connection = new SqliteConnection($"Data Source={database}");
connection.Open();
Execute("CREATE TABLE IF NOT EXISTS texts (hash TEXT PRIMARY KEY, name TEXT NOT NULL, vector BLOB NOT NULL)");

// A file is known by its content: one that was renamed has its vector, one that was edited gets another.
(string Name, string Text, string Hash)[] files = [.. Directory.EnumerateFiles(folder, "*.txt").Order(StringComparer.Ordinal).Select(path => (Path.GetFileName(path), File.ReadAllText(path), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))))];
HashSet<string> known = [.. Rows("SELECT hash FROM texts", row => row.GetString(0))];
(string Name, string Text, string Hash)[] added = [.. files.Where(file => !known.Contains(file.Hash))];
IReadOnlyList<TextVector> vectors = embedder.EmbedDocuments([.. added.Select(file => file.Text)]);
using (SqliteTransaction transaction = connection.BeginTransaction())
{
    for (int i = 0; i < added.Length; i++)
        Execute("INSERT INTO texts VALUES ($hash, $name, $vector)", ("$hash", added[i].Hash), ("$name", added[i].Name), ("$vector", MemoryMarshal.AsBytes<float>(vectors[i].Values).ToArray()));
    transaction.Commit();
}

using var index = new VectorIndex(embedder.Dimensions);
var names = new List<string>();
foreach ((string name, byte[] vector) in Rows("SELECT name, vector FROM texts", row => (row.GetString(0), row.GetFieldValue<byte[]>(1))))
{
    names.Add(name);
    index.Add(MemoryMarshal.Cast<byte, float>(vector));
}

Console.WriteLine($"{index.Count} texts, {added.Length} of them new, {index.Dimensions} dimensions");
IReadOnlyList<TextVector> asked = embedder.EmbedQueries(questions);
for (int i = 0; i < questions.Length; i++)
{
    Neighbour best = index.Search(asked[i].Values, 1)[0];
    Console.WriteLine($"{questions[i]} {names[best.Index]} ({best.Score:F3})");
}

void Execute(string sql, params (string Name, object Value)[] values)
{
    using SqliteCommand command = connection.CreateCommand();
    command.CommandText = sql;
    foreach ((string name, object value) in values) command.Parameters.AddWithValue(name, value);
    command.ExecuteNonQuery();
}

List<T> Rows<T>(string sql, Func<SqliteDataReader, T> read)
{
    using SqliteCommand command = connection.CreateCommand();
    command.CommandText = sql;
    using SqliteDataReader reader = command.ExecuteReader();
    var rows = new List<T>();
    while (reader.Read()) rows.Add(read(reader));
    return rows;
}
