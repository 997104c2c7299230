using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Embeddings;

/// <summary>Folders that ask for what is not supported, or are damaged, are refused in a sentence that names the file.</summary>
public sealed class SentenceFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("modules.json", "[", "modules.json: not valid JSON")]
    [InlineData("modules.json", "{}", "modules.json: an array of JSON objects was expected")]
    [InlineData("modules.json", "[1]", "modules.json: an array of JSON objects was expected")]
    [InlineData("modules.json", "[]", "the modules are none; Transformer, Pooling")]
    [InlineData("modules.json", """[{"path": ""}]""", "module 0 has no type")]
    [InlineData("modules.json", """[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]""", "module 1 is a 'sentence_transformers.models.Dense'; Transformer, Pooling and Normalize")]
    [InlineData("modules.json", """[{"path": "", "type": "custom_code.Transformer"}]""", "module 0 is a 'custom_code.Transformer'")]
    [InlineData("modules.json", """[{"path": "", "type": "sentence_transformers.models.Pooling"}, {"path": "", "type": "sentence_transformers.models.Transformer"}]""", "the modules are Pooling, Transformer;")]
    [InlineData("modules.json", """[{"path": "../elsewhere", "type": "sentence_transformers.models.Transformer"}]""", "module 0 has the path \"../elsewhere\", which is outside the folder")]
    [InlineData("modules.json", """[{"path": "/etc", "type": "sentence_transformers.models.Transformer"}]""", "module 0 has the path \"/etc\", which is outside the folder")]
    [InlineData("modules.json", """[{"path": "a/..\\..", "type": "sentence_transformers.models.Transformer"}]""", "which is outside the folder")]
    [InlineData("modules.json", """[{"path": "\ud800", "type": "sentence_transformers.models.Transformer"}]""", "modules.json: a string or name is not valid Unicode")]
    [InlineData("1_Pooling/config.json", null, "config.json' does not exist; a sentence-transformers folder has it")]
    [InlineData("1_Pooling/config.json", """{"pooling_mode_mean_tokens": true}""", "word_embedding_dimension is missing")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 17, "pooling_mode_mean_tokens": true}""", "1_Pooling/config.json: the pooling is of 17 dimensions; the model's hidden states have 16")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 16}""", "1_Pooling/config.json: the pooling is none; one of mean, cls, max")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}""", "the pooling is mean and cls; one of")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 16, "pooling_mode": "median"}""", "pooling_mode 'median' is not supported; mean, cls")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true, "include_prompt": false}""", "include_prompt = false is not supported")]
    [InlineData("sentence_bert_config.json", """{"max_seq_length": 0}""", "sentence_bert_config.json: max_seq_length is 0; an integer of at least 1 was expected")]
    [InlineData("sentence_bert_config.json", """{"max_seq_length": 6, "do_lower_case": 1}""", "do_lower_case is 1; true or false was expected")]
    [InlineData("config_sentence_transformers.json", """{"prompts": {"query": 1}}""", "config_sentence_transformers.json: prompt 'query' is no string")]
    [InlineData("config_sentence_transformers.json", """{"default_prompt_name": "query"}""", "default_prompt_name is \"query\"; there is no such prompt")]
    public void IsRefusedInOneSentence(string file, string? text, string sentence)
    {
        string path = SentenceModel.Write(folder, (file, text));
        string message = Assert.Throws<InputException>(() => TextEmbedder.Load(path).Dispose()).Message;
        Assert.Contains(sentence, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTransformerMayHaveAFolderOfItsOwn()
    {
        string flat = SentenceModel.Write(folder), nested = folder.File("nested");
        SentenceModel.Copy(SentenceModel.Tiny, Path.Combine(nested, "0_Transformer"));
        File.WriteAllText(Path.Combine(nested, "modules.json"), SentenceModel.Modules.Replace("\"path\": \"\"", "\"path\": \"0_Transformer\"", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(nested, "1_Pooling"));
        File.Copy(Path.Combine(flat, "1_Pooling", "config.json"), Path.Combine(nested, "1_Pooling", "config.json"));
        using TextEmbedder one = TextEmbedder.Load(flat), other = TextEmbedder.Load(nested);
        Assert.Equal(one.Embed("a good film").Values, other.Embed("a good film").Values);
    }

    [Fact]
    public void NewerNamesOfTheFilesAreRead()
    {
        string path = SentenceModel.Write(
            folder,
            ("modules.json", SentenceModel.Modules.Replace("models.Pooling", "sentence_transformer.modules.pooling.Pooling", StringComparison.Ordinal)),
            ("1_Pooling/config.json", $$"""{"embedding_dimension": {{SentenceModel.Width}}, "pooling_mode": "cls", "include_prompt": true}"""));
        SentenceFolder read = SentenceFolder.Read(path);
        Assert.Equal((Pooling.Cls, true, 6), (read.Settings.Pooling, read.Settings.Normalises, read.Settings.MaxLength));
    }

    [Fact]
    public void AFolderWithoutModulesIsTheMeanNotNormalised()
    {
        SentenceFolder read = SentenceFolder.Read(SentenceModel.Tiny);
        Assert.Equal((Pooling.Mean, false, null), (read.Settings.Pooling, read.Settings.Normalises, read.Settings.MaxLength));
    }
}
