using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Embeddings;

/// <summary>Sentence-transformers folders of a tiny BERT of width 16 and a vocabulary of a dozen words, and of the real model.</summary>
internal static class SentenceModel
{
    public const string Modules = """
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
         {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
        """;

    /// <summary>A HuggingFace folder.</summary>
    public static string Tiny { get; } = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop", "base");

    public static int Width => 16;

    /// <summary>Writes the tiny model as a sentence-transformers folder; files given replace the usual ones, and a null leaves one out.</summary>
    public static string Write(TemporaryFolder folder, params (string Name, string? Text)[] files)
    {
        string path = folder.File("sentence");
        Copy(Tiny, path);
        (string Name, string? Text)[] usual =
        [
            ("modules.json", Modules),
            ("1_Pooling/config.json", $$"""{"word_embedding_dimension": {{Width}}, "pooling_mode_mean_tokens": true}"""),
            ("sentence_bert_config.json", """{"max_seq_length": 6, "do_lower_case": false}"""),
            ("config_sentence_transformers.json", """{"prompts": {"query": "a ", "document": "film "}, "default_prompt_name": null}"""),
        ];
        foreach ((string name, string? text) in usual.Where(file => !files.Any(other => other.Name == file.Name)).Concat(files))
        {
            if (text is null) continue;
            string file = Path.Combine(path, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        return path;
    }

    public static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
