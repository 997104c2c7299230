using System.Globalization;
using System.Text.Json;
using FsCheck.Xunit;
using LoRA2.Native.Adapters;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>Settings of every method in the registry, as texts and as JSON.</summary>
public sealed class MethodOptionTests
{
    /// <summary>A setting changes itself and no other; what an option says of a method makes the same method again.</summary>
    [Property(MaxTest = 300)]
    public void ASettingIsWhatWasGivenAndNoOtherChanges(DrawnMethod drawn)
    {
        AdapterMethod method = drawn.Method;
        Assert.Equal(drawn.Name, method.Name);
        foreach (MethodOption option in method.Options)
        {
            string expected = drawn.Settings.Where(setting => setting.Option == option.Name).Select(setting => setting.Text).SingleOrDefault() ?? option.TextOf(drawn.Plain);
            Assert.Equal(Value(expected), Value(option.TextOf(method)));
        }

        Assert.Equal(method, method.Options.Aggregate(drawn.Plain, (made, option) => option.With(made, option.TextOf(method))));
    }

    [Property(MaxTest = 100)]
    public void JsonHasEverySetting(DrawnMethod drawn)
    {
        AdapterMethod method = drawn.Method;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (MethodOption option in method.Options) option.Write(json, method);
            json.WriteEndObject();
        }

        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        Assert.Equal(method.Options.Select(option => option.Key), document.RootElement.EnumerateObject().Select(field => field.Name));
        Assert.All(method.Options, option => Assert.Equal(Value(option.TextOf(method)), Value(document.RootElement.GetProperty(option.Key).ToString())));
    }

    /// <summary>Numbers are compared as numbers: 1e-05 is 0.00001.</summary>
    private static object Value(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : text;
}
