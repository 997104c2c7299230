using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>The papers' parameter counts, a layer at a time.</summary>
public sealed class ParameterCountTests
{
    /// <summary>DeBERTa-v3-base, 12 layers; r = 8.</summary>
    [Theory]
    [InlineData("query,key", 1, 37_440)]
    [InlineData("query,key,value", 1, 56_160)]
    [InlineData("query,key,value,attention.output,intermediate,output", 1, 167_616)]
    [InlineData("query,key,value,attention.output,intermediate,output", 8, 1_336_896)]
    public void LoRA2sAreThePapers(string targets, int outerRank, int count)
    {
        using var base768 = new SmallModel(1, 768, 3072);
        base768.Model.Attach(new AdapterSettings { Method = new LoRA2Method { OuterRank = outerRank, Rank = 8 }, Targets = targets.Split(',') }, 1);
        Assert.Equal(count, 12 * base768.Model.AdapterParameterCount());
    }

    [Fact]
    public void TheOthersAreTheirFormulas()
    {
        using var base768 = new SmallModel(1, 768, 3072);
        long Count(AdapterMethod method)
        {
            base768.Model.Attach(new AdapterSettings { Method = method }, 1);
            return base768.Model.AdapterParameterCount();
        }

        const int Sides = (4 * 2 * 768) + (2 * (768 + 3072));
        Assert.Equal(Sides, Count(new LoRAMethod { Rank = 1 }));
        Assert.Equal(8 * Sides, Count(new LoRAMethod { Rank = 8 }));
        Assert.Equal(2 * (Sides + 6), Count(new AdaLoRAMethod { Rank = 2 }));
        Assert.Equal(8 * (Sides + 6), Count(new SoRAMethod { Rank = 8 }));
        Assert.Equal((8 * Sides) + (5 * 768) + 3072, Count(new DoRAMethod { Rank = 8 }));
        Assert.Equal((5 * 768) + 3072 + (6 * 64), Count(new VeRAMethod { Rank = 64 }));
    }

    /// <summary>Biases of six matrices and two layer norms a layer, and of the layer norms of embeddings and relative embeddings: 0.1M for DeBERTa-v3-base.</summary>
    [Fact]
    public void BitFitsAreAllBiases()
    {
        using var base768 = new SmallModel(1, 768, 3072);
        base768.Model.Attach(new AdapterSettings { Method = new BitFitMethod() }, 1);
        Assert.Equal((7 * 768) + 3072 + (2 * 768), base768.Model.AdapterParameterCount());
        Assert.Empty(base768.Model.Adapters());
    }

    /// <summary>RoBERTa-large: 24 layers, four matrices each, whatever the width.</summary>
    [Theory]
    [InlineData(8, 6_144)]
    [InlineData(16, 24_576)]
    public void LoRAXSsAreTheSquaresOfItsRank(int rank, int count)
    {
        using var small = new SmallModel(2, 32, 40);
        small.Model.Attach(new AdapterSettings { Method = new LoRAXSMethod { Rank = rank } }, 1);
        Assert.Equal(count, 12 * small.Model.AdapterParameterCount());
    }
}
