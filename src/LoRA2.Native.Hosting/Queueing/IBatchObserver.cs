namespace LoRA2.Native.Hosting.Queueing;

/// <summary>Is told what a <see cref="BatchQueue{T}"/> does, by its threads.</summary>
internal interface IBatchObserver
{
    /// <summary>An item has waited so long, and is computed now.</summary>
    void Waited(TimeSpan time);

    /// <summary>A batch begins.</summary>
    void Computing(int items, long paddedTokens);

    /// <summary>A batch took so long.</summary>
    void Computed(TimeSpan time);

    /// <summary>An item could not be computed.</summary>
    void Failed(Exception reason);
}
