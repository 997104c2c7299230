using FsCheck.Xunit;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tests.Shared.Safetensors;

[assembly: Properties(Arbitrary = [typeof(TextArbitraries), typeof(SafetensorsArbitraries)])]
