"""MobileFaceNet: the encoder that turns the stacked maps into one vector a clip."""

import math
from typing import NamedTuple

from torch import Tensor, nn

from osscl.config import CLIP, EMBEDDING_SIZE, FRONTEND


class Bottlenecks(NamedTuple):
    """A run of bottlenecks; the first may shrink the map, the others keep its size."""

    expansion: int
    channels: int
    repeats: int
    first_stride: int


STEM_CHANNELS = 64
BOTTLENECKS = (
    Bottlenecks(expansion=2, channels=128, repeats=2, first_stride=2),
    Bottlenecks(expansion=4, channels=128, repeats=2, first_stride=2),
    Bottlenecks(expansion=4, channels=128, repeats=2, first_stride=2),
)
WIDE_CHANNELS = 512


class ConvBlock(nn.Module):
    """Convolution without bias, batch norm and, unless `linear`, PReLU with one slope a channel.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels before and after.
    kernel_size : int or (int, int)
        Height and width of the kernel.
    stride, padding, groups : int
        As ``torch.nn.Conv2d`` takes them.
    linear : bool
        Leaves out the PReLU.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.prelu = nn.Identity() if linear else nn.PReLU(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [B, C, H, W] -> [B, C_out, H / stride, W / stride]
        y: Tensor = self.prelu(self.bn(x))  # [B, C_out, H / stride, W / stride]
        return y


class Bottleneck(nn.Module):
    """Widen, filter each channel by itself, narrow; plus the input where the shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = expansion * in_channels
        self.expand = ConvBlock(in_channels, wide, 1)
        self.depthwise = ConvBlock(wide, wide, 3, stride=stride, padding=1, groups=wide)
        self.project = ConvBlock(wide, out_channels, 1, linear=True)
        self.has_residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.expand(x)  # [B, expansion * C, H, W]
        y = self.depthwise(y)  # [B, expansion * C, H / stride, W / stride]
        y = self.project(y)  # [B, C_out, H / stride, W / stride]
        return x + y if self.has_residual else y


class MobileFaceNet(nn.Module):
    """Encoder of the stacked maps.

    Parameters
    ----------
    n_maps : int
        Maps stacked as input channels.

    References
    ----------
    Chen et al., "MobileFaceNets: efficient CNNs for accurate real-time face verification on mobile
    devices", CCBR 2018, arXiv 1804.07573, table 1; the bottleneck settings are those of OS-SCL.
    """

    def __init__(self, n_maps: int) -> None:
        super().__init__()
        shrinkage = 2 * math.prod(run.first_stride for run in BOTTLENECKS)
        final_size = (
            math.ceil(FRONTEND.n_mels / shrinkage),
            math.ceil(FRONTEND.n_frames(CLIP.n_samples) / shrinkage),
        )
        bottlenecks = []
        channels = STEM_CHANNELS
        for run in BOTTLENECKS:
            for i in range(run.repeats):
                stride = run.first_stride if i == 0 else 1
                bottlenecks.append(Bottleneck(channels, run.channels, run.expansion, stride))
                channels = run.channels

        self.conv1 = ConvBlock(n_maps, STEM_CHANNELS, 3, stride=2, padding=1)
        self.dw_conv1 = ConvBlock(STEM_CHANNELS, STEM_CHANNELS, 3, padding=1, groups=STEM_CHANNELS)
        self.blocks = nn.Sequential(*bottlenecks)
        self.conv2 = ConvBlock(channels, WIDE_CHANNELS, 1)
        self.linear7 = ConvBlock(WIDE_CHANNELS, WIDE_CHANNELS, final_size, groups=WIDE_CHANNELS, linear=True)
        self.linear1 = ConvBlock(WIDE_CHANNELS, EMBEDDING_SIZE, 1, linear=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = math.prod(module.kernel_size) * module.out_channels
                nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps [B, n_maps, 128, 313] -> vector [B, 128]."""
        x = self.conv1(maps)  # [B, 64, 64, 157]
        x = self.dw_conv1(x)  # [B, 64, 64, 157]
        x = self.blocks(x)  # -> [B, 128, 32, 79] -> [B, 128, 16, 40] -> [B, 128, 8, 20]
        x = self.conv2(x)  # [B, 512, 8, 20]
        x = self.linear7(x)  # [B, 512, 1, 1]
        x = self.linear1(x)  # [B, 128, 1, 1]
        y: Tensor = x.flatten(1)  # [B, 128]
        return y
