namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>Parses the body of a kernel into statements; calls of helper functions are replaced by their bodies.</summary>
internal sealed class PtxBodyParser(List<PtxToken> tokens, PtxFunction function, Dictionary<string, PtxHelper> helpers)
{
    private readonly List<(PtxStatement Statement, string[] Names, PtxScope Scope)> branches = [];
    private int depth;

    public void Parse(int body, PtxScope scope)
    {
        ParseBlock(new PtxReader(tokens, body), scope, null);
        foreach (var (statement, names, from) in branches)
        {
            statement.Targets = [.. names.Select(name => from.FindLabel(name)
                ?? throw new PtxException($"PTX line {statement.Line}: label '{name}' is not declared."))];
        }
    }

    // Reads up to the closing brace. In a helper's body "ret" is a branch to its end.
    private void ParseBlock(PtxReader reader, PtxScope scope, string? returnLabel)
    {
        while (!reader.Take("}"))
        {
            if (reader.AtEnd)
                throw reader.Error("a body has no '}'");
            if (reader.Take(";"))
                continue;
            if (reader.Take("{"))
                ParseBlock(reader, new PtxScope(scope, function), returnLabel);
            else if (reader.IsLabel)
                ParseLabel(reader, scope);
            else if (reader.Current.Text[0] == '.')
                ParseDirective(reader, scope);
            else
                ParseInstruction(reader, scope, returnLabel);
        }
    }

    private void ParseLabel(PtxReader reader, PtxScope scope)
    {
        var name = reader.Word();
        reader.Expect(":");
        if (reader.Take(".branchtargets"))
        {
            var names = new List<string>();
            do
                names.Add(reader.Word());
            while (reader.Take(","));
            scope.DeclareTargets(name, [.. names]);
        }
        else if (!scope.TryDeclareLabel(name, function.Statements.Count))
        {
            throw reader.Error($"label '{name}' is declared twice");
        }
    }

    private void ParseDirective(PtxReader reader, PtxScope scope)
    {
        var directive = reader.Next().Text;
        switch (directive)
        {
            case ".reg":
                ParseRegisters(reader, scope);
                break;
            case ".shared" or ".local" or ".param":
                var space = directive switch { ".shared" => PtxSpace.Shared, _ => PtxSpace.Local };
                var variable = reader.Variable(space);
                if (!scope.TryDeclare(variable))
                    throw reader.Error($"'{variable.Name}' is declared twice");
                function.Variables.Add(variable);
                break;
            case ".loc" or ".file":
                reader.Position--;
                reader.SkipLine();
                return;
            case ".pragma":
                reader.Next();
                break;
            default:
                throw reader.Error($"'{directive}' is not known in a body");
        }
        reader.Expect(";");
    }

    private static void ParseRegisters(PtxReader reader, PtxScope scope)
    {
        var word = reader.Word();
        var type = (word[0] == '.' ? PtxType.Find(word[1..]) : null) ?? throw reader.Error($"'{word}' is not a type");
        do
        {
            var name = reader.Word();
            var count = -1;
            if (reader.Take("<"))
            {
                count = reader.Integer();
                reader.Expect(">");
            }
            if (!scope.TryDeclare(name, type, count))
                throw reader.Error($"register '{name}' is declared twice in one scope");
        }
        while (reader.Take(","));
    }

    private void ParseInstruction(PtxReader reader, PtxScope scope, string? returnLabel)
    {
        var operands = new PtxOperandParser(reader, scope);
        var line = reader.Current.Line;
        PtxRegister? guard = null;
        var negated = false;
        if (reader.Take("@"))
        {
            negated = reader.Take("!");
            guard = operands.Register(reader.Word());
        }
        var opcode = reader.Word();
        if (opcode is "call" or "call.uni")
        {
            if (guard is not null)
                throw reader.Error("a call under a predicate is not supported");
            ParseCall(reader, scope);
            return;
        }
        var isReturn = opcode is "ret" or "ret.uni";
        if (isReturn && returnLabel is not null)
        {
            Add(new PtxStatement { Line = line, Opcode = "bra", Operands = [], Guard = guard, GuardNegated = negated }, [returnLabel], scope);
        }
        else if (opcode is "bra" or "bra.uni")
        {
            var name = reader.Word();
            var label = new PtxOperand { Kind = PtxOperandKind.Label, Text = name };
            Add(new PtxStatement { Line = line, Opcode = opcode, Operands = [label], Guard = guard, GuardNegated = negated }, [name], scope);
        }
        else if (opcode is "brx.idx" or "brx.idx.uni")
        {
            var index = operands.Value();
            reader.Expect(",");
            var list = reader.Word();
            var targets = scope.FindTargets(list) ?? throw reader.Error($"the list of branch targets '{list}' is not declared");
            Add(new PtxStatement { Line = line, Opcode = opcode, Operands = [index], Guard = guard, GuardNegated = negated }, targets, scope);
        }
        else
        {
            var list = reader.Is(";") ? [] : operands.List();
            function.Statements.Add(new PtxStatement { Line = line, Opcode = opcode, Operands = list, Guard = guard, GuardNegated = negated });
        }
        reader.Expect(";");
    }

    private void Add(PtxStatement statement, string[] targets, PtxScope scope)
    {
        branches.Add((statement, targets, scope));
        function.Statements.Add(statement);
    }

    private void ParseCall(PtxReader reader, PtxScope scope)
    {
        var results = reader.Is("(") ? ParseArguments(reader, scope) : [];
        reader.Take(",");
        var name = reader.Word();
        reader.Take(",");
        var arguments = reader.Is("(") ? ParseArguments(reader, scope) : [];
        if (!helpers.TryGetValue(name, out var helper))
            throw reader.Error($"function '{name}' is not defined in this module");
        if (arguments.Count != helper.Parameters.Count || results.Count != helper.Results.Count)
            throw reader.Error($"function '{name}' has {helper.Parameters.Count} parameters and {helper.Results.Count} results, the call {arguments.Count} and {results.Count}");
        if (++depth > 16)
            throw reader.Error($"function '{name}' is called too deeply; recursion is not supported");
        var root = scope;
        while (root.Parent is not null)
            root = root.Parent;
        var inner = new PtxScope(root, function);
        for (var i = 0; i < arguments.Count; i++)
            inner.Alias(helper.Parameters[i].Name, arguments[i]);
        for (var i = 0; i < results.Count; i++)
            inner.Alias(helper.Results[i].Name, results[i]);
        ParseBlock(new PtxReader(tokens, helper.Body), inner, "$return");
        inner.TryDeclareLabel("$return", function.Statements.Count);
        depth--;
        reader.Expect(";");
    }

    private static List<PtxVariable> ParseArguments(PtxReader reader, PtxScope scope)
    {
        var list = new List<PtxVariable>();
        reader.Expect("(");
        while (!reader.Take(")"))
        {
            var name = reader.Word();
            list.Add(scope.FindVariable(name) ?? throw reader.Error($"'{name}' is not declared; a call's arguments must be .param variables"));
            reader.Take(",");
        }
        return list;
    }
}
