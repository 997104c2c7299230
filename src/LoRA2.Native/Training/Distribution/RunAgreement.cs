using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LoRA2.Native.Communication;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Training.Distribution;

/// <summary>That processes are about to make the same run.</summary>
internal static class RunAgreement
{
    /// <summary>Compares each process's run with that of process 0.</summary>
    /// <exception cref="InputException">In every process, when one has another run.</exception>
    public static void Require(Communicator communicator, RunFingerprint run, SequenceClassifier model, int step)
    {
        IReadOnlyList<string> runs = communicator.AllGatherText(run.ToString());
        IReadOnlyList<string> states = communicator.AllGatherText($"{step} {OfTrained(model)}");
        for (int rank = 1; rank < communicator.Size; rank++)
        {
            string name = communicator.NameOf(rank);
            if (RunFingerprint.Parse(runs[0]).WhatDiffers(RunFingerprint.Parse(runs[rank])) is { } what) throw new InputException($"{name} has {what} than process 0; the same run everywhere was expected");
            if (states[rank] != states[0]) throw new InputException($"{name} starts from other trained weights than process 0; the same everywhere were expected");
        }
    }

    private static string OfTrained(SequenceClassifier model)
    {
        using ModelAccess.Lease pass = model.Hold();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Parameter parameter in model.Parameters.Where(parameter => parameter.IsTrainable)) hash.AppendData(MemoryMarshal.AsBytes(parameter.Value.AsSpan<float>()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
