using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>One setting of a method, for the command line and for records. Methods may share a name and differ in the default.</summary>
public abstract class MethodOption
{
    private MethodOption(string name, string description, string valueName)
    {
        Name = name;
        Description = description;
        ValueName = valueName;
    }

    /// <summary>The option's name with hyphens, as on the command line without its dashes.</summary>
    public string Name { get; }

    /// <summary>What the help says of it; the default is added.</summary>
    public string Description { get; }

    /// <summary>What stands for the value in the help.</summary>
    public string ValueName { get; }

    /// <summary>The name in JSON.</summary>
    public string Key => Name.Replace('-', '_');

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static MethodOption Int<TMethod>(
        string name, string description, Func<TMethod, int> get, Func<TMethod, int, AdapterMethod> with, int least, int most = int.MaxValue)
        where TMethod : AdapterMethod
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(get);
        ArgumentNullException.ThrowIfNull(with);
        return new Typed<TMethod, int>(name, description, "N", get, with, most == int.MaxValue ? $"a whole number of at least {least} was expected" : $"a whole number from {least} to {most} was expected")
        {
            Parse = text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most ? (true, value) : default,
            WriteValue = (json, value) => json.WriteNumberValue(value),
        };
    }

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static MethodOption Real<TMethod>(
        string name, string description, Func<TMethod, double> get, Func<TMethod, double, AdapterMethod> with, double least, double most)
        where TMethod : AdapterMethod
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(get);
        ArgumentNullException.ThrowIfNull(with);
        return new Typed<TMethod, double>(name, description, "X", get, with, $"a number from {least} to {most} was expected")
        {
            Parse = text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most ? (true, value) : default,
            WriteValue = (json, value) => json.WriteNumberValue(value),
        };
    }

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, or a word for a value that the method works out: null to its setting.</summary>
    public static MethodOption RealOr<TMethod>(
        string name, string description, string word, Func<TMethod, double?> get, Func<TMethod, double?, AdapterMethod> with, double least, double most)
        where TMethod : AdapterMethod
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(get);
        ArgumentNullException.ThrowIfNull(with);
        double? Number(string text) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most ? value : null;
        return new Typed<TMethod, string>(
            name, description, $"X|{word}", method => get(method) is { } value ? value.ToString(CultureInfo.InvariantCulture) : word, (method, text) => with(method, Number(text)),
            $"a number from {least} to {most}, or {word}, was expected")
        {
            Parse = text => text == word || Number(text) is not null ? (true, text) : default,
            WriteValue = (json, text) =>
            {
                if (Number(text) is { } value) json.WriteNumberValue(value);
                else json.WriteStringValue(text);
            },
        };
    }

    /// <summary>One of <paramref name="choices"/>.</summary>
    public static MethodOption Choice<TMethod>(
        string name, string description, Func<TMethod, string> get, Func<TMethod, string, AdapterMethod> with, params string[] choices)
        where TMethod : AdapterMethod
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(get);
        ArgumentNullException.ThrowIfNull(with);
        ArgumentNullException.ThrowIfNull(choices);
        return new Typed<TMethod, string>(name, description, string.Join('|', choices), get, with, $"{string.Join(", ", choices)} can be")
        {
            Parse = text => choices.Contains(text) ? (true, text) : default,
            WriteValue = (json, value) => json.WriteStringValue(value),
        };
    }

    /// <summary>Null when the text is a value, else what should stand there.</summary>
    public abstract string? WhatIsWrong(string text);

    /// <summary>The method with this setting.</summary>
    /// <exception cref="InputException">The text is no value of it.</exception>
    public abstract AdapterMethod With(AdapterMethod method, string text);

    /// <summary>The method's setting as text.</summary>
    public abstract string TextOf(AdapterMethod method);

    /// <summary>Writes the name and the method's setting.</summary>
    public abstract void Write(Utf8JsonWriter json, AdapterMethod method);

    private sealed class Typed<TMethod, T>(
        string name, string description, string valueName, Func<TMethod, T> get, Func<TMethod, T, AdapterMethod> with, string expected) : MethodOption(name, description, valueName)
        where TMethod : AdapterMethod
        where T : notnull
    {
        public required Func<string, (bool Ok, T Value)> Parse { get; init; }

        public required Action<Utf8JsonWriter, T> WriteValue { get; init; }

        public override string? WhatIsWrong(string text) => Parse(text).Ok ? null : expected;

        public override AdapterMethod With(AdapterMethod method, string text)
        {
            (bool ok, T value) = Parse(text);
            return ok ? with((TMethod)method, value) : throw new InputException($"option --{Name} is '{text}'; {expected}");
        }

        public override string TextOf(AdapterMethod method) => Convert.ToString(get((TMethod)method), CultureInfo.InvariantCulture)!;

        public override void Write(Utf8JsonWriter json, AdapterMethod method)
        {
            json.WritePropertyName(Key);
            WriteValue(json, get((TMethod)method));
        }
    }
}
