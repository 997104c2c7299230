using FsCheck.Xunit;
using LoRA2.Native.Tensors.Tests.Cpu;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tests.Shared.Tensors;

[assembly: Properties(Arbitrary = [typeof(TextArbitraries), typeof(TensorArbitraries), typeof(GemmArbitraries)])]
