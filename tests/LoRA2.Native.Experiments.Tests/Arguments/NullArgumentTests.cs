using System.Reflection;
using System.Text;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Hosting;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Serving;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Arguments;

/// <summary>
/// Every public constructor and method refuses null, in each parameter that may not be null, by an <see cref="ArgumentException"/> that names the parameter, and before it
/// does anything else: the object it is called on was never constructed, and the other arguments are as empty.
/// </summary>
public sealed class NullArgumentTests
{
    private static readonly Assembly[] Packages =
        [typeof(InputException).Assembly, typeof(SafetensorsFile).Assembly, typeof(Tokenizer).Assembly, typeof(Tensor).Assembly, typeof(Trainer).Assembly, typeof(RunFolder).Assembly,
         typeof(TextService).Assembly, typeof(LoRA2Server).Assembly];

    public static TheoryData<string> Names => [.. Packages.Select(package => package.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void NullIsRefusedByName(string package)
    {
        var wrong = new StringBuilder();
        var nullability = new NullabilityInfoContext();
        int calls = 0;
        foreach (Type type in Packages.Single(assembly => assembly.GetName().Name == package).GetExportedTypes().Where(IsCallable))
        {
            foreach (MethodBase method in Callable(type))
            {
                foreach (ParameterInfo parameter in method.GetParameters().Where(parameter => Refuses(parameter, nullability)))
                {
                    calls++;
                    Exception? e = Emptiness.Call(method, parameter);
                    if (e is not ArgumentException argument || argument.ParamName != parameter.Name)
                        wrong.AppendLine($"{type.Name}.{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.Name))}): {parameter.Name} = null: {e?.GetType().Name ?? "accepted"}{(e is ArgumentException other ? $" of {other.ParamName}" : "")}");
                }
            }
        }

        Assert.True(wrong.Length == 0, $"of {calls} calls:\n{wrong}");
        Assert.True(calls > 0);
    }

    private static bool IsCallable(Type type) => !type.IsInterface && !typeof(Delegate).IsAssignableFrom(type) && !type.IsEnum;

    /// <summary>
    /// Not what the compiler makes of a record's or a property's declaration: a value is checked where it is used. Nor what is virtual or of an interface: those are there for
    /// the project to call what others wrote.
    /// </summary>
    private static IEnumerable<MethodBase> Callable(Type type)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        Type made = Emptiness.Closed(type);
        bool isRecord = made.GetMethod("<Clone>$") is not null || (made.IsValueType && made.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null);
        IEnumerable<MethodBase> constructors = made.IsAbstract || isRecord ? [] : made.GetConstructors(Declared);
        return constructors.Concat(made.GetMethods(Declared).Where(method => !method.IsVirtual && !method.IsSpecialName && method.Name is not ("Deconstruct" or "Equals")).Select(Emptiness.Closed));
    }

    private static bool Refuses(ParameterInfo parameter, NullabilityInfoContext nullability) =>
        parameter is { IsOut: false, ParameterType: { IsValueType: false, IsByRef: false, IsPointer: false, IsGenericParameter: false } } && nullability.Create(parameter).WriteState == NullabilityState.NotNull;
}
