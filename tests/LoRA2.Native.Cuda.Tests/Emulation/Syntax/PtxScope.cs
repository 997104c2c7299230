using System.Globalization;

namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>The names declared between two braces; a name not found here is looked for in the scope around.</summary>
internal sealed class PtxScope(PtxScope? parent, PtxFunction? function)
{
    private readonly Dictionary<string, PtxRegister> registers = [];
    private readonly Dictionary<string, (PtxType Type, int Count)> ranges = [];
    private readonly Dictionary<string, PtxVariable> variables = [];
    private readonly Dictionary<string, int> labels = [];
    private readonly Dictionary<string, string[]> targetLists = [];

    public PtxScope? Parent => parent;

    /// <summary>Declares a register, or with a count the registers name0 to name(count-1).</summary>
    public bool TryDeclare(string name, PtxType type, int count)
    {
        if (count >= 0)
            return ranges.TryAdd(name, (type, count));
        return registers.TryAdd(name, Create(name, type));
    }

    public bool TryDeclare(PtxVariable variable) => variables.TryAdd(variable.Name, variable);

    /// <summary>Makes a name stand for a variable declared elsewhere: a function's parameter for the caller's.</summary>
    public void Alias(string name, PtxVariable variable) => variables[name] = variable;

    public bool TryDeclareLabel(string name, int statement) => labels.TryAdd(name, statement);

    public void DeclareTargets(string name, string[] targets) => targetLists[name] = targets;

    public PtxRegister? FindRegister(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.FindOwnRegister(name) is { } found)
                return found;
        }
        return null;
    }

    public PtxVariable? FindVariable(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.variables.TryGetValue(name, out var found))
                return found;
        }
        return null;
    }

    public int? FindLabel(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.labels.TryGetValue(name, out var found))
                return found;
        }
        return null;
    }

    public string[]? FindTargets(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.targetLists.TryGetValue(name, out var found))
                return found;
        }
        return null;
    }

    private PtxRegister? FindOwnRegister(string name)
    {
        if (registers.TryGetValue(name, out var found))
            return found;
        var digits = name.Length;
        while (digits > 0 && char.IsAsciiDigit(name[digits - 1]))
            digits--;
        // "%r12" may belong to the range "%r" or, as PTX allows, to "%r1".
        for (var cut = digits; cut < name.Length; cut++)
        {
            if (ranges.TryGetValue(name[..cut], out var range)
                && int.TryParse(name.AsSpan(cut), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < range.Count)
            {
                registers[name] = found = Create(name, range.Type);
                return found;
            }
        }
        return null;
    }

    private PtxRegister Create(string name, PtxType type)
    {
        var register = new PtxRegister(name, type, function!.Registers.Count);
        function.Registers.Add(register);
        return register;
    }
}
