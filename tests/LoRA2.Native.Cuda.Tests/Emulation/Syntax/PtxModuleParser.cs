using System.Globalization;

namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>Parses a module: its variables, its helper functions and its entries.</summary>
internal sealed class PtxModuleParser
{
    private readonly List<PtxToken> tokens;
    private readonly PtxReader reader;
    private readonly Dictionary<string, PtxHelper> helpers = [];
    private readonly List<(string Name, int Line, List<PtxVariable> Parameters, int Body)> entries = [];

    private PtxModuleParser(string text)
    {
        tokens = PtxLexer.Split(text);
        reader = new PtxReader(tokens, 0);
    }

    /// <summary>The version of the instruction set times ten, as ".version" says.</summary>
    private int Version { get; set; }

    private int Target { get; set; }

    private List<PtxVariable> Variables { get; } = [];

    /// <summary>Parses a text: its entries, and the module's own variables.</summary>
    public static (List<PtxFunction> Entries, List<PtxVariable> Variables, int Version, int Target) Parse(string text)
    {
        var parser = new PtxModuleParser(text);
        parser.ParseModule();
        var functions = parser.entries.Select(parser.ParseEntry).ToList();
        return (functions, parser.Variables, parser.Version, parser.Target);
    }

    private void ParseModule()
    {
        while (!reader.AtEnd)
        {
            switch (reader.Current.Text)
            {
                case ".version":
                    reader.Next();
                    Version = (int)Math.Round(double.Parse(reader.Word(), CultureInfo.InvariantCulture) * 10);
                    break;
                case ".target":
                    reader.Next();
                    Target = int.Parse(reader.Word().AsSpan(3), CultureInfo.InvariantCulture);
                    while (reader.Take(","))
                        reader.Next();
                    break;
                case ".address_size":
                    reader.Next();
                    if (reader.Word() != "64")
                        throw reader.Error("only an address size of 64 is supported");
                    break;
                case ".visible" or ".weak" or ".extern" or ";":
                    reader.Next();
                    break;
                case ".file" or ".section":
                    reader.SkipLine();
                    break;
                case ".entry":
                    ParseEntryHeader();
                    break;
                case ".func":
                    ParseHelper();
                    break;
                case ".global" or ".const" or ".shared":
                    ParseVariable();
                    break;
                default:
                    throw reader.Error($"'{reader.Current.Text}' is not known at the level of a module");
            }
        }
    }

    private void ParseVariable()
    {
        var space = reader.Next().Text switch { ".shared" => PtxSpace.Shared, ".const" => PtxSpace.Constant, _ => PtxSpace.Global };
        var variable = reader.Variable(space);
        if (space != PtxSpace.Shared)
            variable.Data = new byte[variable.Size];
        if (reader.Take("="))
        {
            reader.Expect("{");
            for (var i = 0; !reader.Take("}"); i++)
            {
                // ILGPU's constants are bytes.
                variable.Data![i] = (byte)reader.Integer();
                reader.Take(",");
            }
        }
        reader.Expect(";");
        Variables.Add(variable);
    }

    private void ParseEntryHeader()
    {
        reader.Next();
        var line = reader.Current.Line;
        var name = reader.Word();
        var parameters = reader.Is("(") ? ParseParameters() : [];
        // Performance directives such as ".maxntid 256, 1, 1".
        while (!reader.Is("{"))
            reader.Next();
        entries.Add((name, line, parameters, reader.SkipBraces()));
    }

    private void ParseHelper()
    {
        reader.Next();
        var results = reader.Is("(") ? ParseParameters() : [];
        var name = reader.Word();
        var parameters = reader.Is("(") ? ParseParameters() : [];
        if (reader.Take(";"))
            return;
        helpers[name] = new PtxHelper(results, parameters, reader.SkipBraces());
    }

    private List<PtxVariable> ParseParameters()
    {
        var list = new List<PtxVariable>();
        reader.Expect("(");
        while (!reader.Take(")"))
        {
            if (!reader.Take(".param"))
                throw reader.Error($"a parameter must be '.param', found '{reader.Current.Text}'");
            list.Add(reader.Variable(PtxSpace.Parameter));
            reader.Take(",");
        }
        return list;
    }

    private PtxFunction ParseEntry((string Name, int Line, List<PtxVariable> Parameters, int Body) entry)
    {
        var function = new PtxFunction { Name = entry.Name, Line = entry.Line };
        var scope = new PtxScope(null, function);
        foreach (var variable in Variables)
        {
            scope.Alias(variable.Name, variable);
            if (variable.Space == PtxSpace.Shared)
                function.Variables.Add(variable);
        }
        foreach (var parameter in entry.Parameters)
        {
            if (!scope.TryDeclare(parameter))
                throw new PtxException($"PTX line {entry.Line}: parameter '{parameter.Name}' is declared twice.");
            function.Parameters.Add(parameter);
        }
        new PtxBodyParser(tokens, function, helpers).Parse(entry.Body, scope);
        return function;
    }
}

/// <summary>A function that kernels call; its body is read anew at every call.</summary>
internal sealed record PtxHelper(List<PtxVariable> Results, List<PtxVariable> Parameters, int Body);
