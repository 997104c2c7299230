using ILGPU;

namespace LoRA2.Native.Cuda.Kernels.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) in PyTorch's order, over many parameters in one launch, a block for each piece of one. A piece's record is of 80
/// bytes: the addresses of its weights, gradient, first and second moments, average and uncertainty (0 where it is not scored), the number of its elements, that of its
/// fours (0 where an address is no multiple of 16), and the sensitivity's β1, 1 − β1, β2 and 1 − β2.
/// </summary>
[KernelFamily]
internal static unsafe class Optimiser
{
    /// <summary>
    /// One step of the pieces from record <paramref name="firstRecord"/> on, all of one group, whose numbers are eight doubles: 1 − η · decay, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ),
    /// ε, −η/(1 − β₁ᵗ) and the limit of the gradients' norm (0: none). The norm is the root of <paramref name="squares"/>, a double; when that is not finite nothing is done.
    /// </summary>
    public static void AdamW(nint records, uint firstRecord, nint numbers, nint squares)
    {
        double* row = (double*)numbers;
        double limit = row[7];
        double norm = squares == 0 ? 0 : Math.Sqrt(*(double*)squares);
        if (!(norm <= double.MaxValue)) return;
        double factor = limit / (norm + 1e-6);
        float gradientScale = limit > 0 && factor < 1 ? (float)factor : 1;
        nint record = records + (nint)(80UL * (firstRecord + (uint)Grid.IdxX));
        var step = new Step(gradientScale, (float)row[0], (float)row[1], (float)row[2], (float)row[3], (float)row[4], (float)row[5], (float)row[6]);
        long* addresses = (long*)record;
        float* weights = (float*)addresses[0];
        float* gradient = (float*)addresses[1];
        float* first = (float*)addresses[2];
        float* second = (float*)addresses[3];
        float* average = (float*)addresses[4];
        float* uncertainty = (float*)addresses[5];
        bool scored = addresses[4] != 0;
        uint count = ((uint*)record)[12];
        uint vectors = ((uint*)record)[13];
        float* betas = (float*)record + 14;
        var decays = new SensitivityDecay(betas[0], betas[1], betas[2], betas[3]);
        for (uint i = (uint)Group.IdxX; i < vectors; i += (uint)Group.DimX)
        {
            Float4 w = ((Float4*)weights)[i];
            Float4 g = ((Float4*)gradient)[i];
            Float4 m = ((Float4*)first)[i];
            Float4 v = ((Float4*)second)[i];
            Moved x = step.Of(w.X, g.X, m.X, v.X);
            Moved y = step.Of(w.Y, g.Y, m.Y, v.Y);
            Moved z = step.Of(w.Z, g.Z, m.Z, v.Z);
            Moved last = step.Of(w.W, g.W, m.W, v.W);
            ((Float4*)weights)[i] = new Float4(x.Weight, y.Weight, z.Weight, last.Weight);
            ((Float4*)first)[i] = new Float4(x.First, y.First, z.First, last.First);
            ((Float4*)second)[i] = new Float4(x.Second, y.Second, z.Second, last.Second);
            if (!scored) continue;
            Float4 a = ((Float4*)average)[i];
            Float4 u = ((Float4*)uncertainty)[i];
            var mean = new Float4(decays.Average(x.Weight, g.X, a.X), decays.Average(y.Weight, g.Y, a.Y), decays.Average(z.Weight, g.Z, a.Z), decays.Average(last.Weight, g.W, a.W));
            ((Float4*)average)[i] = mean;
            ((Float4*)uncertainty)[i] = new Float4(
                decays.Uncertainty(x.Weight, g.X, mean.X, u.X), decays.Uncertainty(y.Weight, g.Y, mean.Y, u.Y), decays.Uncertainty(z.Weight, g.Z, mean.Z, u.Z), decays.Uncertainty(last.Weight, g.W, mean.W, u.W));
        }

        for (uint i = (4 * vectors) + (uint)Group.IdxX; i < count; i += (uint)Group.DimX)
        {
            float g = gradient[i];
            Moved moved = step.Of(weights[i], g, first[i], second[i]);
            weights[i] = moved.Weight;
            first[i] = moved.First;
            second[i] = moved.Second;
            if (!scored) continue;
            float mean = decays.Average(moved.Weight, g, average[i]);
            uncertainty[i] = decays.Uncertainty(moved.Weight, g, mean, uncertainty[i]);
            average[i] = mean;
        }
    }

    /// <summary>The update of a sensitivity by itself.</summary>
    public static void Sensitivity(nint weights, nint gradient, nint average, nint uncertainty, float beta1, float oneLessBeta1, float beta2, float oneLessBeta2, uint count)
    {
        var decays = new SensitivityDecay(beta1, oneLessBeta1, beta2, oneLessBeta2);
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            float w = ((float*)weights)[i];
            float g = ((float*)gradient)[i];
            float mean = decays.Average(w, g, ((float*)average)[i]);
            ((float*)average)[i] = mean;
            ((float*)uncertainty)[i] = decays.Uncertainty(w, g, mean, ((float*)uncertainty)[i]);
        }
    }

    /// <summary>SoRA's threshold step in place: x − t above t, x + t below −t, else 0; where <paramref name="released"/> is not 0, x between them, and what is then below t in size is 0.</summary>
    public static void Shrink(nint x, float threshold, uint released, uint count)
    {
        for (uint i = Threads.First; i < count; i += Threads.Count)
        {
            float value = ((float*)x)[i];
            float left = value > threshold ? value - threshold : value < -threshold ? value + threshold : released != 0 ? value : 0;
            ((float*)x)[i] = released != 0 && IntrinsicMath.Abs(left) < threshold ? 0 : left;
        }
    }

    private readonly struct Moved(float weight, float first, float second)
    {
        public readonly float Weight = weight;
        public readonly float First = first;
        public readonly float Second = second;
    }

    private readonly struct Step(float gradientScale, float decay, float oneLessBeta1, float beta2, float oneLessBeta2, float correction2, float epsilon, float negativeStep)
    {
        private readonly float gradientScale = gradientScale;
        private readonly float decay = decay;
        private readonly float oneLessBeta1 = oneLessBeta1;
        private readonly float beta2 = beta2;
        private readonly float oneLessBeta2 = oneLessBeta2;
        private readonly float correction2 = correction2;
        private readonly float epsilon = epsilon;
        private readonly float negativeStep = negativeStep;

        public Moved Of(float weight, float gradient, float first, float second)
        {
            float g = gradient * gradientScale;
            float m = Single.MultiplyAdd(oneLessBeta1, g - first, first);
            float v = Single.MultiplyAdd(oneLessBeta2 * g, g, second * beta2);
            return new Moved(Single.MultiplyAdd(negativeStep, m / ((MathF.Sqrt(v) / correction2) + epsilon), weight * decay), m, v);
        }
    }

    private readonly struct SensitivityDecay(float beta1, float oneLessBeta1, float beta2, float oneLessBeta2)
    {
        private readonly float beta1 = beta1;
        private readonly float oneLessBeta1 = oneLessBeta1;
        private readonly float beta2 = beta2;
        private readonly float oneLessBeta2 = oneLessBeta2;

        public float Average(float weight, float gradient, float average) => (beta1 * average) + (oneLessBeta1 * IntrinsicMath.Abs(weight * gradient));

        public float Uncertainty(float weight, float gradient, float mean, float uncertainty) =>
            (beta2 * uncertainty) + (oneLessBeta2 * IntrinsicMath.Abs(IntrinsicMath.Abs(weight * gradient) - mean));
    }
}
