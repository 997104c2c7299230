using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tests.Arguments;

/// <summary>Calls anything with nothing in particular: objects that were never constructed, empty lists, delegates that return nothing.</summary>
internal static class Emptiness
{
    private static readonly Type[] Fillings = [typeof(float), typeof(int), typeof(object)];

    /// <summary>Calls a method with null for one of its parameters; what it throws, or null.</summary>
    public static Exception? Call(MethodBase method, ParameterInfo refused)
    {
        object? target = method.IsStatic || method.IsConstructor ? null : Of(method.DeclaringType!);
        object?[] arguments = [.. method.GetParameters().Select(parameter => parameter.Position == refused.Position ? null : Of(Plain(parameter.ParameterType)))];
        try
        {
            Invoker(method)(target, arguments);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    public static Type Closed(Type type) => type.IsGenericTypeDefinition ? Filled(type.GetGenericArguments(), type.MakeGenericType) : type;

    public static MethodInfo Closed(MethodInfo method) => method.IsGenericMethodDefinition ? Filled(method.GetGenericArguments(), method.MakeGenericMethod) : method;

    private static T Filled<T>(Type[] parameters, Func<Type[], T> fill)
    {
        Type constraint = parameters[0].GetGenericParameterConstraints().FirstOrDefault(type => type is { IsInterface: false, ContainsGenericParameters: false }) ?? typeof(object);
        foreach (Type filling in Fillings.Append(constraint))
        {
            try
            {
                return fill([.. Enumerable.Repeat(filling, parameters.Length)]);
            }
            catch (ArgumentException)
            {
                // Against a constraint.
            }
        }

        throw new InvalidOperationException($"no type is known that {parameters[0].DeclaringType} would take");
    }

    private static Type Plain(Type type) => type.IsByRef ? type.GetElementType()! : type;

    private static object? Of(Type type)
    {
        if (type.IsByRefLike || type.IsPointer || type.IsFunctionPointer) return null;
        if (type == typeof(string)) return "";
        if (type.IsArray) return Array.CreateInstance(type.GetElementType()!, new int[type.GetArrayRank()]);
        if (typeof(Delegate).IsAssignableFrom(type)) return Silent(type);
        if (type.IsInterface) return Implemented(type);
        if (type.IsAbstract) return type.Assembly.GetTypes().FirstOrDefault(other => other.IsSubclassOf(type) && !other.IsAbstract && !other.ContainsGenericParameters) is { } concrete ? Of(concrete) : null;
        object made = RuntimeHelpers.GetUninitializedObject(type);
#pragma warning disable CA1816 // What was never constructed has nothing to be finalised.
        GC.SuppressFinalize(made);
#pragma warning restore CA1816
        return made;
    }

    private static object? Implemented(Type type)
    {
        Type[] of = type.GetGenericArguments();
        object? collection = of.Length switch
        {
            1 => Array.CreateInstance(of[0], 0),
            2 => Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(of)),
            _ => null,
        };
        return type.IsInstanceOfType(collection) ? collection : DispatchProxy.Create(type, typeof(Nothing));
    }

    private static Delegate Silent(Type type)
    {
        MethodInfo invoke = type.GetMethod("Invoke")!;
        return Expression.Lambda(type, Expression.Default(invoke.ReturnType), invoke.GetParameters().Select(parameter => Expression.Parameter(parameter.ParameterType))).Compile();
    }

    /// <summary>Reflection itself calls nothing that takes a span; code that is emitted does, with an empty one.</summary>
    private static Action<object?, object?[]> Invoker(MethodBase method)
    {
        var invoker = new DynamicMethod("", null, [typeof(object), typeof(object[])], typeof(Emptiness).Module, skipVisibility: true);
        ILGenerator il = invoker.GetILGenerator();
        if (!method.IsStatic && !method.IsConstructor)
        {
            il.Emit(OpCodes.Ldarg_0);
            if (method.DeclaringType!.IsValueType) il.Emit(OpCodes.Unbox, method.DeclaringType);
            else il.Emit(OpCodes.Castclass, method.DeclaringType);
        }

        ParameterInfo[] parameters = method.GetParameters();
        for (int i = 0; i < parameters.Length; i++)
        {
            Type type = Plain(parameters[i].ParameterType);
            LocalBuilder local = il.DeclareLocal(type);
            if (type is { IsByRefLike: false, IsPointer: false, IsFunctionPointer: false })
            {
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Ldc_I4, i);
                il.Emit(OpCodes.Ldelem_Ref);
                il.Emit(OpCodes.Unbox_Any, type);
                il.Emit(OpCodes.Stloc, local);
            }

            il.Emit(parameters[i].ParameterType.IsByRef ? OpCodes.Ldloca : OpCodes.Ldloc, local);
        }

        if (method is ConstructorInfo constructor) il.Emit(OpCodes.Newobj, constructor);
        else il.Emit(OpCodes.Call, (MethodInfo)method);
        if (method is not MethodInfo { ReturnType: var returned } || returned != typeof(void)) il.Emit(OpCodes.Pop);
        il.Emit(OpCodes.Ret);
        return invoker.CreateDelegate<Action<object?, object?[]>>();
    }

    /// <summary>Does nothing, and gives nothing back. Proxies are made of types that derive from it.</summary>
#pragma warning disable CA1852
    public class Nothing : DispatchProxy
#pragma warning restore CA1852
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => null;
    }
}
