using Microsoft.Extensions.Options;

namespace LoRA2.Native.Hosting;

/// <summary>Says all that is wrong with options, each in a sentence.</summary>
internal sealed class LoRA2OptionsValidator : IValidateOptions<LoRA2Options>
{
    public ValidateOptionsResult Validate(string? name, LoRA2Options options)
    {
        List<string> wrong = Failures(options);
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong.Select(text => string.IsNullOrEmpty(name) ? text : $"model '{name}': {text}"));
    }

    public static List<string> Failures(LoRA2Options options)
    {
        var wrong = new List<string>();
        void Require(bool isRight, string otherwise)
        {
            if (!isRight) wrong.Add(otherwise);
        }

        if (string.IsNullOrWhiteSpace(options.ModelFolder)) wrong.Add("ModelFolder is empty; the folder of a model was expected");
        else Require(Directory.Exists(options.ModelFolder), $"ModelFolder is '{options.ModelFolder}', and there is no such folder");
        foreach ((string adapter, string folder) in options.Adapters)
        {
            Require(AdapterNames.IsName(adapter), $"an adapter is called '{adapter}'; {AdapterNames.Rule} was expected");
            Require(Directory.Exists(folder), $"adapter '{adapter}' is in '{folder}', and there is no such folder");
        }

        void Positive(string name, int? value, int most = int.MaxValue) =>
            Require(value is null || (value >= 1 && value <= most), most == int.MaxValue ? $"{name} is {value}; at least 1 was expected" : $"{name} is {value}; 1 to {most:N0} was expected");
        Positive(nameof(options.MaxLength), options.MaxLength);
        Positive(nameof(options.MaxResidentAdapters), options.MaxResidentAdapters);
        Positive(nameof(options.MaxBatchTokens), options.MaxBatchTokens);
        Positive(nameof(options.MaxBatchTexts), options.MaxBatchTexts);
        Positive(nameof(options.MaxQueuedTexts), options.MaxQueuedTexts);
        Positive(nameof(options.Threads), options.Threads, 1024);
        Positive(nameof(options.Workers), options.Workers, 1024);
        Require(options.Deadline > TimeSpan.Zero || options.Deadline == Timeout.InfiniteTimeSpan, $"Deadline is {options.Deadline}; a time above 0, or none (Timeout.InfiniteTimeSpan), was expected");
        return wrong;
    }
}
