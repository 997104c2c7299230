using FsCheck.Xunit;
using LoRA2.Native.Extension.Tests;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tests.Shared.Tensors;

[assembly: Properties(Arbitrary = [typeof(OwnArbitraries), typeof(TextArbitraries), typeof(TensorArbitraries)])]
