using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Adapters;

/// <summary>Puts adapters on a model and decides what is trained.</summary>
public static class AdapterAttachment
{
    /// <summary>Freezes the model, puts the method's fresh adapters on every target, and makes them, the head and what the method trains of the model itself trainable.</summary>
    /// <exception cref="InputException">A target matches nothing, or a setting of the method is out of its range.</exception>
    public static void Attach(this SequenceClassifier model, AdapterSettings settings, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        AdapterMethod method = settings.Method;
        foreach (MethodOption option in method.Options)
        {
            if (option.WhatIsWrong(option.TextOf(method)) is { } expected) throw new InputException($"{option.Name} is {option.TextOf(method)}; {expected}");
        }

        using ModelAccess.Lease change = model.Change();
        using var scope = new TensorScope();
        HeadTraining head = method.PeftType is null ? HeadTraining.All : settings.Head;
        model.Restore();
        if (method.PeftType is not null)
        {
            foreach (Parameter parameter in model.EncoderParameters().Where(method.Trains).Concat(model.TrainedHeadParameters(head))) model.Keep(parameter);
        }

        model.FreezeAllBut([.. model.EncoderParameters().Where(method.Trains), .. model.TrainedHeadParameters(head)]);
        if (method.UsesTargets)
        {
            IReadOnlyList<LinearLayer> layers = TargetModules.Resolve(model, settings.Targets);
            foreach ((LinearLayer layer, Adapter adapter) in layers.Zip(method.Create(layers, seed))) layer.Adapter = adapter;
        }

        model.MoveTo(model.Device);
    }

    /// <summary>Makes the head, or its classifier alone, trainable.</summary>
    public static void TrainHead(this SequenceClassifier model, HeadTraining head)
    {
        ArgumentNullException.ThrowIfNull(model);
        using ModelAccess.Lease change = model.Change();
        model.RememberFingerprint();
        foreach (Parameter parameter in model.TrainedHeadParameters(head)) parameter.Train();
    }

    /// <summary>The head's parameters that are trained.</summary>
    public static IEnumerable<Parameter> TrainedHeadParameters(this SequenceClassifier model, HeadTraining head)
    {
        ArgumentNullException.ThrowIfNull(model);
        return PeftModules.Trained(model.Head, head).SelectMany(module => module.Parameters);
    }

    /// <summary>Trained values in adapters, and in the encoder where it is trained itself.</summary>
    public static long AdapterParameterCount(this SequenceClassifier model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count) - HeadParameterCount(model);
    }

    /// <summary>Trained values in the head.</summary>
    public static long HeadParameterCount(this SequenceClassifier model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Head.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count);
    }

    /// <summary>The adapters, in the model's order.</summary>
    public static IEnumerable<Adapter> Adapters(this SequenceClassifier model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.AdaptedLayers.Select(layer => layer.Adapter).OfType<Adapter>();
    }

    /// <summary>Adds every adapter to its layer's weight and takes it off. Dispose of the result to forget the originals, or unmerge it.</summary>
    public static MergedAdapters Merge(this SequenceClassifier model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new(model);
    }

    internal static IEnumerable<Parameter> EncoderParameters(this SequenceClassifier model) => model.BaseParameters.Except(model.Head.Parameters);
}
