namespace LoRA2.Native.Hosting.Queueing;

/// <summary>What a <see cref="BatchQueue{T}"/> holds.</summary>
internal interface IQueuedItem
{
    /// <summary>What it costs.</summary>
    int Tokens { get; }

    /// <summary>Why it has no answer though its batch was computed; null where it has one.</summary>
    Exception? Fault { get; }

    /// <summary>It is taken.</summary>
    void Enter();

    /// <summary>Nobody will compute it any more: it was computed, or is not wanted. Once for each <see cref="Enter"/>.</summary>
    void Leave();
}
