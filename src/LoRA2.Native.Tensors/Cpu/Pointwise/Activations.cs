using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Pointwise;

/// <summary>An activation, lane by lane: f(x), and its gradient dy f′(x) from x and dy.</summary>
internal interface IActivation<T> : IUnaryOperator<T>, IBinaryOperator<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>Something to be done with an activation whose type is known, so that it is compiled into the loop.</summary>
internal interface IActivationUse<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    void With<TActivation>()
        where TActivation : unmanaged, IActivation<T>;
}

/// <summary>Picks the code of an activation.</summary>
internal static unsafe class Activations
{
    /// <exception cref="ArgumentOutOfRangeException">There is no such activation.</exception>
    public static void Use<T, TUse>(Activation activation, TUse use)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TUse : struct, IActivationUse<T>
    {
        switch (activation)
        {
            case Activation.Gelu:
                use.With<Gelu<T>>();
                break;
            case Activation.Relu:
                use.With<Relu<T>>();
                break;
            case Activation.Tanh:
                use.With<Tanh<T>>();
                break;
            case Activation.GeluTanh:
                use.With<GeluTanh<T>>();
                break;
            case Activation.QuickGelu:
                use.With<QuickGelu<T>>();
                break;
            case Activation.Mish:
                use.With<Mish<T>>();
                break;
            case Activation.Silu:
                use.With<Silu<T>>();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, "there is no such activation");
        }
    }

    /// <summary>y = f(x).</summary>
    public static void Forward<T>(Activation activation, T* x, nint count, T* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Use<T, ForwardUse<T>>(activation, new(x, count, y));

    /// <summary>dx = (or +=) dy · f′(x).</summary>
    public static void Backward<T>(Activation activation, T* x, T* dy, nint count, T* dx, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Use<T, BackwardUse<T>>(activation, new(x, dy, count, dx, accumulate));

    private readonly struct ForwardUse<T>(T* x, nint count, T* y) : IActivationUse<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void With<TActivation>()
            where TActivation : unmanaged, IActivation<T> => Map.Unary(default(TActivation), x, y, count);
    }

    private readonly struct BackwardUse<T>(T* x, T* dy, nint count, T* dx, bool accumulate) : IActivationUse<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void With<TActivation>()
            where TActivation : unmanaged, IActivation<T> => Map.Binary(default(TActivation), x, dy, dx, count, accumulate);
    }
}
