using LoRA2.Native.Encoders;

namespace LoRA2.Native.Adapters;

/// <summary>Which modules beside the adapters' PEFT trains and saves whole: <c>modules_to_save</c>, and for classification the two names it adds of its own accord.</summary>
internal static class PeftModules
{
    /// <summary>What PEFT puts before a module's name.</summary>
    public const string Prefix = "base_model.model.";

    private static readonly string[] OwnAccord = ["classifier", "score"];

    /// <summary>Whether a list of names asks for more than PEFT saves anyway.</summary>
    public static bool AskForMore(IEnumerable<string> names) => names.Except(OwnAccord).Any();

    /// <summary>The names of a config, and PEFT's own where the task is one that it adds them for; those that a model has no module of are nothing to it.</summary>
    public static string[] SavedFor(string? taskType, IEnumerable<string> names) => [.. names, .. taskType is "SEQ_CLS" or "TOKEN_CLS" ? OwnAccord : []];

    /// <summary>Whether PEFT saves a module: its path ends with a name of the list or one of PEFT's own (so <c>classifier</c> is <c>pre_classifier</c> too).</summary>
    public static bool IsSaved(string path, IEnumerable<string> names) => EndsWithAny(path, names.Concat(OwnAccord));

    /// <summary>Whether a tensor of an adapter's file is a saved module's.</summary>
    public static bool IsSavedTensor(string tensor, IReadOnlyCollection<string> names) => IsTensorOf(tensor, [.. names, .. OwnAccord]);

    /// <summary>Whether a tensor of an adapter's file is of a module whose path ends with one of these names and no others.</summary>
    public static bool IsTensorOf(string tensor, IReadOnlyCollection<string> names)
    {
        if (!tensor.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        string path = tensor[Prefix.Length..];
        for (int dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
        {
            if (EndsWithAny(path[..dot], names)) return true;
        }

        return false;
    }

    /// <summary>The modules of a head that are trained.</summary>
    public static IEnumerable<HeadModule> Trained(EncoderHead head, HeadTraining training) =>
        head.Modules.Where(module => training == HeadTraining.All || IsSaved(module.Path, []) || (head.Classifier is { } last && module.Parameters.Contains(last.Weight)));

    private static bool EndsWithAny(string path, IEnumerable<string> names) => names.Any(name => path.EndsWith(name, StringComparison.Ordinal));
}
