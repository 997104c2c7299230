using System.CommandLine;
using System.Text.Json;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Data;
using LoRA2.Native.Files;
using LoRA2.Native.Inference;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli;

/// <summary>The spans that a model finds in texts, a line of JSON a text. Places are counted in code points: what any other language that reads the line counts.</summary>
internal sealed class SpanAnswers(TokenClassifier classifier, string? aggregation, int batchSize, JsonLineWriter output)
{
    private static readonly (string Name, SpanAggregation Value)[] Names =
        [("none", SpanAggregation.None), ("simple", SpanAggregation.Simple), ("first", SpanAggregation.First), ("average", SpanAggregation.Average), ("max", SpanAggregation.Max)];

    private readonly SpanAggregation strategy = aggregation is null ? SpanAggregation.First : Names.First(known => known.Name == aggregation).Value;

    public static Option<string?> AggregationOption()
    {
        var option = new Option<string?>("--aggregation")
        {
            Description = "for a model that tags words: how tokens become spans, as HuggingFace's aggregation_strategy [first]",
            HelpName = string.Join('|', Names.Select(known => known.Name)),
        };
        option.Validators.Add(result =>
        {
            foreach (System.CommandLine.Parsing.Token token in result.Tokens)
            {
                if (!Names.Any(known => known.Name == token.Value)) result.AddError($"option --aggregation is '{token.Value}'; {string.Join(", ", Names.Select(known => known.Name))} can be");
            }
        });
        return option;
    }

    /// <summary>Writes a line a text; returns how many were cut.</summary>
    /// <exception cref="InputException">There is a pair: spans are of one text.</exception>
    public int Write(IReadOnlyList<Example> batch)
    {
        if (batch.Any(example => example.Pair is not null)) throw new InputException("a second text was given; this model tags the words of one");
        IReadOnlyList<TaggedText> answers = classifier.Predict([.. batch.Select(example => example.Text)], strategy, batchSize);
        foreach ((Example example, TaggedText answer) in batch.Zip(answers)) output.Write(json => Write(json, example.Text, answer));
        output.Flush();
        return answers.Count(answer => answer.IsCut);
    }

    private static void Write(Utf8JsonWriter json, string text, TaggedText answer)
    {
        json.WriteStartObject();
        json.WriteStartArray("spans");
        foreach (EntitySpan span in answer.Spans)
        {
            json.WriteStartObject();
            json.WriteString("label", span.Label);
            TrainingJson.Number(json, "score", span.Score);
            json.WriteNumber("start", TextPlaces.CodePointsBefore(text, span.Start));
            json.WriteNumber("end", TextPlaces.CodePointsBefore(text, span.End));
            json.WriteString("text", span.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("cut", answer.IsCut);
        json.WriteEndObject();
    }
}
