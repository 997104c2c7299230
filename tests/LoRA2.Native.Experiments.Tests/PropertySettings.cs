using FsCheck.Xunit;
using LoRA2.Native.Tests.Shared;

[assembly: Properties(Arbitrary = [typeof(TextArbitraries)])]
