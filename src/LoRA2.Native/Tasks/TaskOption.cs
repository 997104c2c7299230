using LoRA2.Native.Files;

namespace LoRA2.Native.Tasks;

/// <summary>One setting of a task's kind, for the command line.</summary>
/// <param name="Name">With hyphens, without the dashes before it.</param>
/// <param name="Description">What the help says, its default in brackets.</param>
/// <param name="ValueName">What stands for the value in the help.</param>
/// <param name="With">The kind with a value; null when the text is none.</param>
/// <param name="Expected">What should stand there, for messages.</param>
public sealed record TaskOption(string Name, string Description, string ValueName, Func<TaskKind, string, TaskKind?> With, string Expected)
{
    /// <summary>A setting with one of some values.</summary>
    public static TaskOption Choice<TKind>(string name, string description, Func<TKind, string, TKind> with, params string[] choices)
        where TKind : TaskKind
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(with);
        ArgumentNullException.ThrowIfNull(choices);
        return new(name, description, string.Join('|', choices), (kind, text) => choices.Contains(text) ? with((TKind)kind, text) : null, $"{string.Join(", ", choices)} can be");
    }

    /// <summary>The kind with this setting.</summary>
    /// <exception cref="InputException">The text is no value of it.</exception>
    public TaskKind Apply(TaskKind kind, string text)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(text);
        return With(kind, text) ?? throw new InputException($"option --{Name} is '{text}'; {Expected}");
    }
}
