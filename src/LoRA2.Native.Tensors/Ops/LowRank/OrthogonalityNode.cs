using System.Runtime.InteropServices;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>What orthogonality losses have in common: planes, computed in one parallel region forward and one backward.</content>
public static partial class Ops
{
    private sealed class OrthogonalityNode : Node
    {
        private readonly List<OrthogonalityPlane> planes = [];
        private readonly List<OrthogonalityGradients> gradients = [];
        private readonly List<(Tensor Input, Tensor Gradient)> fresh = [];
        private Tensor kept = null!;
        private bool norms;
        private double scale;

        /// <summary>Without planes yet.</summary>
        /// <param name="norms">Whether a plane's loss is its norm and not the square.</param>
        /// <param name="scale">Factor of the planes' sum.</param>
        public static OrthogonalityNode Of(bool norms, double scale)
        {
            OrthogonalityNode node = Take<OrthogonalityNode>();
            node.planes.Clear();
            node.norms = norms;
            node.scale = scale;
            return node;
        }

        public void Add(OrthogonalityPlane plane) => planes.Add(plane);

        public Tensor Loss(Tensor like)
        {
            int most = 0;
            bool records = false;
            foreach (OrthogonalityPlane plane in planes)
            {
                most = Math.Max(most, checked(plane.OuterRank * (plane.OuterRank + plane.Rank)));
                records |= Tensors.Autograd.Tape.Records(plane.Outer, plane.Inner);
            }

            Tensor loss = Tensor.Empty([], like.DType, like.Device);
            kept = Tensor.Empty([planes.Count, most], like.DType, like.Device);
            like.Device.Kernels.Orthogonality(CollectionsMarshal.AsSpan(planes), norms, scale, loss, kept);
            if (!records) return loss;
            Save(kept);
            foreach (OrthogonalityPlane plane in planes)
            {
                Save(plane.Outer);
                Save(plane.Inner);
            }

            return Tensors.Autograd.Tape.Record(this, loss);
        }

        protected internal override void Backward(Tensor gradient)
        {
            gradients.Clear();
            fresh.Clear();
            foreach (OrthogonalityPlane plane in planes) gradients.Add(new OrthogonalityGradients(Target(plane.Outer), plane.Inner is null ? null : Target(plane.Inner)));
            gradient.Device.Kernels.OrthogonalityBackward(CollectionsMarshal.AsSpan(planes), kept, scale, gradient, CollectionsMarshal.AsSpan(gradients));
            foreach ((Tensor input, Tensor added) in fresh) Accumulate(input, added);
        }

        /// <summary>What the kernel adds an input's gradient to; for a second use of the same input another tensor, so that no two threads add to one.</summary>
        private Tensor? Target(Tensor input)
        {
            // Saved, a sum is not its input's alone any more, and the next use is not offered it.
            if (GradientToAddTo(input) is { } sum) return Save(sum);
            if (!input.RequiresGrad) return null;
            Tensor zeros = Tensor.Zeros(input.Shape, input.DType, input.Device);
            fresh.Add((input, zeros));
            return zeros;
        }
    }
}
