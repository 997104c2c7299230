namespace LoRA2.Native.Tensors.Cpu.Recurrent;

/// <summary>The order of the steps of one direction of a recurrent layer, and where its states lie.</summary>
internal readonly unsafe record struct RecurrentSteps(int Length, int Batch, int Size, bool Reverse)
{
    /// <summary>Elements of a state.</summary>
    public nint State => (nint)Batch * Size;

    /// <summary>The position of a step.</summary>
    public int Position(int step) => Reverse ? Length - 1 - step : step;

    /// <summary>The state that a position starts from, in arrays that begin with a first state.</summary>
    public T* Before<T>(T* states, int position)
        where T : unmanaged => states + (State * (Reverse ? position + 1 : position));

    /// <summary>The state that a position ends with, in arrays that begin with a first state.</summary>
    public T* After<T>(T* states, int position)
        where T : unmanaged => states + (State * (Reverse ? position : position + 1));
}
