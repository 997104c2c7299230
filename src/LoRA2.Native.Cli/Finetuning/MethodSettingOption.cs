using System.CommandLine;
using System.CommandLine.Parsing;
using LoRA2.Native.Adapters;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Finetuning;

/// <summary>The methods' settings as options of the command line: one for each name, whichever methods have it.</summary>
internal static class MethodSettingOption
{
    public static IEnumerable<Option<string?>> All() =>
        AdapterMethods.All.SelectMany(method => method.Options.Select(option => (Method: method, Option: option))).GroupBy(pair => pair.Option.Name).Select(group => Create([.. group]));

    /// <summary>The method with what was given on the command line.</summary>
    /// <param name="method">With its defaults.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="options">All settings.</param>
    /// <exception cref="InputException">A setting was given that the method has not.</exception>
    public static AdapterMethod Apply(AdapterMethod method, ParseResult parsed, IReadOnlyList<Option<string?>> options)
    {
        foreach (Option<string?> option in options)
        {
            if (parsed.GetResult(option) is not { Implicit: false }) continue;
            if (Of(method, option) is not { } setting)
            {
                IEnumerable<string> owners = AdapterMethods.All.Where(other => Of(other, option) is not null).Select(other => other.Name);
                throw new InputException($"{option.Name} is not for --method {method.Name}; it is for {string.Join(", ", owners)}");
            }

            method = setting.With(method, parsed.GetValue(option)!);
        }

        return method;
    }

    private static MethodOption? Of(AdapterMethod method, Option option) => method.Options.FirstOrDefault(setting => "--" + setting.Name == option.Name);

    private static Option<string?> Create((AdapterMethod Method, MethodOption Option)[] owners)
    {
        MethodOption first = owners[0].Option;
        IEnumerable<string> described = owners.GroupBy(owner => owner.Option.Description).Select(group => $"{string.Join(", ", group.Select(owner => owner.Method.Name))}: {group.Key} [{Defaults([.. group])}]");
        var option = new Option<string?>("--" + first.Name) { Description = string.Join("; ", described), HelpName = first.ValueName };
        option.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens)
            {
                if (owners.All(owner => owner.Option.WhatIsWrong(token.Value) is not null)) result.AddError($"option {option.Name} is '{token.Value}'; {first.WhatIsWrong(token.Value)}");
            }
        });
        return option;
    }

    private static string Defaults((AdapterMethod Method, MethodOption Option)[] owners)
    {
        IGrouping<string, string>[] values = [.. owners.GroupBy(owner => owner.Option.TextOf(owner.Method), owner => owner.Method.Name)];
        return values.Length == 1 ? values[0].Key : string.Join("; ", values.Select(value => $"{value.Key} for {string.Join(", ", value)}"));
    }
}
