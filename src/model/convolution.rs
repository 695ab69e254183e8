//! Convolutions over time as one operation each: tract first writes all that every sum needs in a row, once for each frame and
//! once more in the order of its kernels.

use pulp::{Arch, Simd, WithSimd};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::*;

/// Filters that are computed together, in registers: two for each of them.
const FILTERS: usize = 6;
/// Rows are filled up with silence to a multiple of this, two of the widest registers.
const FRAMES: usize = 32;

/// Makes each convolution over time of a batch of one, with steps of one frame and weights that are known, a [`Convolution`].
///
/// # Errors
/// If the graph cannot be changed.
pub(super) fn replace(graph: &mut TypedModel) -> TractResult<()> {
    for node in graph.eval_order()? {
        let Some((op, weights, bias)) = Convolution::of(graph, node)? else { continue };
        let mut patch = TypedModelPatch::default();
        let node = graph.node(node);
        let heard = patch.tap_model(graph, node.inputs[0])?;
        let weights = patch.add_const(format!("{}.weights", node.name), weights)?;
        let bias = patch.add_const(format!("{}.bias", node.name), bias)?;
        let filtered = patch.wire_node(&node.name, op, &[heard, weights, bias])?;
        patch.shunt_outside(graph, node.id.into(), filtered[0])?;
        patch.apply(graph)?;
    }
    Ok(())
}

/// Takes `[.., channels, frames]`, of which all before is one; weights, `[blocks, channels * taps, FILTERS]`, the last block
/// filled up with zeros; and biases, `[filters]`. Gives `[.., filters, frames]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Convolution {
    taps: usize,
    /// Frames of silence before the first, and after the last.
    before: usize,
    after: usize,
}

impl Convolution {
    /// What a node would be, with its weights and biases, if it can be one.
    fn of(graph: &TypedModel, node: usize) -> TractResult<Option<(Self, Tensor, Tensor)>> {
        let node = graph.node(node);
        let Some(Conv { pool_spec: pool, kernel_fmt, group: 1, q_params: None }) = node.op_as() else {
            return Ok(None);
        };
        let [heard, weights, bias] = node.inputs[..] else { return Ok(None) };
        let heard = graph.outlet_fact(heard)?;
        let (Some(shape), [taps]) = (heard.shape.as_concrete(), &pool.kernel_shape[..]) else { return Ok(None) };
        let lies_well = match pool.data_format {
            DataFormat::NCHW => shape.len() == 3 && shape[0] == 1,
            DataFormat::CHW => shape.len() == 2,
            _ => false,
        };
        let is_plain = *kernel_fmt == KernelFormat::OIHW && pool.stride(0) == 1 && pool.dilation(0) == 1;
        let known = |input| -> TractResult<_> { Ok(graph.outlet_fact(input)?.konst.clone()) };
        let (Some(weights), Some(bias)) = (known(weights)?, known(bias)?) else { return Ok(None) };
        let is_single = [heard.datum_type, weights.datum_type(), bias.datum_type()] == [f32::datum_type(); 3];
        let &[filters, channels, _] = weights.shape() else { return Ok(None) };
        if !(lies_well && is_plain && is_single) || *taps == 0 {
            return Ok(None);
        }
        let padding = pool.computed_padding(&shape[shape.len() - 1..]);
        let op = Self { taps: *taps, before: padding[0].pad_before, after: padding[0].pad_after };
        let row = channels * taps;
        let mut blocks = vec![0.0_f32; filters.div_ceil(FILTERS) * row * FILTERS];
        let view = weights.to_plain_array_view::<f32>()?;
        for (index, weight) in view.iter().enumerate() {
            let (filter, place) = (index / row, index % row);
            blocks[(filter / FILTERS * row + place) * FILTERS + filter % FILTERS] = *weight;
        }
        let blocks = Tensor::from_shape(&[filters.div_ceil(FILTERS), row, FILTERS], &blocks)?;
        let bias = bias.to_plain_array_view::<f32>()?;
        // One for all, or one for each.
        let each: Vec<f32> = bias.iter().copied().cycle().take(filters).collect();
        ensure!(
            [1, filters].contains(&bias.len()) && each.len() == filters,
            "{} biases, {filters} filters",
            bias.len()
        );
        let bias = Tensor::from_shape(&[filters], &each)?;
        Ok(Some((op, blocks, bias)))
    }

    /// Frames that come of so many.
    fn frames(&self, frames: usize) -> usize {
        (frames + self.before + self.after + 1).saturating_sub(self.taps)
    }
}

impl Op for Convolution {
    fn name(&self) -> StaticName {
        "Convolution".into()
    }

    op_as_typed_op!();
}

impl TypedOp for Convolution {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [heard, _, bias] = inputs else { bail!("{} inputs", inputs.len()) };
        let mut shape = heard.shape.to_tvec();
        let [.., channels, frames] = &mut shape[..] else { bail!("input of shape {:?}", heard.shape) };
        *channels = bias.shape[0].clone();
        *frames = self.frames(frames.to_usize()?).to_dim();
        Ok(tvec!(f32::fact(shape)))
    }
}

impl EvalOp for Convolution {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (heard, weights, bias) = args_3!(inputs);
        let mut shape: TVec<usize> = heard.shape().into();
        let [.., channels, frames] = &mut shape[..] else { bail!("input of shape {:?}", heard.shape()) };
        let (heard_channels, heard_frames) = (*channels, *frames);
        (*channels, *frames) = (bias.len(), self.frames(heard_frames));
        let frames = *frames;
        let (heard, weights, bias) = (
            heard.to_plain_array_view::<f32>()?,
            weights.to_plain_array_view::<f32>()?,
            bias.to_plain_array_view::<f32>()?,
        );
        let heard = heard.as_slice().context("frames lie apart")?;
        let (weights, _) = weights.as_slice().context("weights lie apart")?.as_chunks::<FILTERS>();
        let bias = bias.as_slice().context("biases lie apart")?;
        let places = heard_channels * self.taps;
        let fits =
            heard.len() == heard_channels * heard_frames && weights.len() == bias.len().div_ceil(FILTERS) * places;
        ensure!(fits && frames > 0 && places > 0, "weights and frames do not fit");

        let width = (frames.next_multiple_of(FRAMES) + self.taps - 1).max(self.before + heard_frames);
        let mut rows = vec![0.0; heard_channels * width];
        for (row, heard) in rows.chunks_exact_mut(width).zip(heard.chunks_exact(heard_frames)) {
            row[self.before..][..heard_frames].copy_from_slice(heard);
        }
        let mut filtered = Tensor::zero::<f32>(&shape)?;
        {
            let mut filtered = filtered.to_plain_array_view_mut::<f32>()?;
            let filtered = filtered.as_slice_mut().context("frames lie apart")?;
            Arch::new().dispatch(Filter { rows: &rows, width, taps: self.taps, weights, bias, frames, filtered });
        }
        Ok(tvec!(filtered.into_tvalue()))
    }
}

/// Some filters over all channels, in the widest vector registers there are.
struct Filter<'a> {
    /// `[channels, width]`
    rows: &'a [f32],
    width: usize,
    taps: usize,
    /// For each block of filters, channel and tap.
    weights: &'a [[f32; FILTERS]],
    bias: &'a [f32],
    frames: usize,
    /// `[filters, frames]`
    filtered: &'a mut [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const { assert!(FRAMES.is_multiple_of(2 * S::F32_LANES), "rows end with whole registers") };
        let Self { rows, width, taps, weights, bias, frames, filtered } = self;
        let (step, places) = (2 * S::F32_LANES, rows.len() / width * taps);
        let blocks = weights.chunks_exact(places).zip(bias.chunks(FILTERS));
        for ((block, bias), filtered) in blocks.zip(filtered.chunks_mut(FILTERS * frames)) {
            for first in (0..frames).step_by(step) {
                let mut sums = [[simd.splat_f32s(0.0); 2]; FILTERS];
                for (sum, bias) in sums.iter_mut().zip(bias) {
                    *sum = [simd.splat_f32s(*bias); 2];
                }
                for (row, block) in rows.chunks_exact(width).zip(block.chunks_exact(taps)) {
                    for (tap, weights) in block.iter().enumerate() {
                        let heard = row.get(first + tap..first + tap + step).unwrap_or_default();
                        let (&[one, two], _) = S::as_simd_f32s(heard) else { continue };
                        for ([sum_one, sum_two], weight) in sums.iter_mut().zip(weights) {
                            let weight = simd.splat_f32s(*weight);
                            *sum_one = simd.mul_add_e_f32s(one, weight, *sum_one);
                            *sum_two = simd.mul_add_e_f32s(two, weight, *sum_two);
                        }
                    }
                }
                let count = step.min(frames - first);
                for (filtered, sum) in filtered.chunks_exact_mut(frames).zip(&sums) {
                    let sum: &[f32] = pulp::bytemuck::cast_slice(sum);
                    filtered[first..first + count].copy_from_slice(&sum[..count]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec};

    use super::super::lstm::tests::numbers;
    use super::*;
    use crate::registers::in_eights;

    struct Sizes {
        batch: usize,
        channels: usize,
        frames: usize,
        filters: usize,
        taps: usize,
        pads: [usize; 2],
        stride: usize,
    }

    /// The output of a convolution, by this module where it can, or by tract alone; and whether it was this module's.
    fn filtered(by_tract: bool, sizes: &Sizes) -> (bool, Tensor) {
        let &Sizes { batch, channels, frames, filters, taps, pads: [before, after], stride } = sizes;
        let pool_spec = PoolSpec {
            data_format: DataFormat::NCHW,
            kernel_shape: tvec!(taps),
            padding: PaddingSpec::Explicit(tvec!(before), tvec!(after)),
            dilations: None,
            strides: Some(tvec!(stride)),
            input_channels: channels,
            output_channels: filters,
        };
        let mut graph = TypedModel::default();
        let heard = graph.add_source("x", f32::fact([batch, channels, frames])).unwrap();
        let weights = graph.add_const("w", numbers(&[filters, channels, taps], 1)).unwrap();
        let bias = graph.add_const("b", numbers(&[filters], 2)).unwrap();
        let conv = Conv { pool_spec, kernel_fmt: KernelFormat::OIHW, group: 1, q_params: None };
        let wired = graph.wire_node("conv", conv, &[heard, weights, bias]).unwrap();
        graph.select_output_outlets(&wired).unwrap();
        if !by_tract {
            replace(&mut graph).unwrap();
        }
        let is_ours = graph.nodes.iter().any(|node| node.op_is::<Convolution>());
        let input = numbers(&[batch, channels, frames], 3);
        let output = graph.into_optimized().unwrap().into_runnable().unwrap().run(tvec!(input.into())).unwrap();
        (is_ours, output[0].clone().into_tensor())
    }

    #[test]
    fn every_output_is_tracts() {
        for (channels, frames, filters, taps, pads) in [
            (40, 100, 32, 3, [1, 1]),
            (45, 125, 96, 5, [2, 2]),
            (3, 31, 7, 5, [2, 2]),
            (1, 64, 6, 1, [0, 0]),
            (2, 33, 1, 4, [1, 2]),
            (5, 9, 13, 4, [0, 0]),
            (2, 3, 4, 7, [3, 6]),
        ] {
            let sizes = Sizes { batch: 1, channels, frames, filters, taps, pads, stride: 1 };
            let ((is_ours, ours), (_, theirs)) = (filtered(false, &sizes), filtered(true, &sizes));
            assert!(is_ours, "{channels} channels of {frames}, {filters} filters of {taps}");
            assert_eq!(ours.shape(), theirs.shape());
            let (ours, theirs) = (ours.to_plain_array_view::<f32>(), theirs.to_plain_array_view::<f32>());
            for (ours, theirs) in ours.unwrap().iter().zip(theirs.unwrap()) {
                assert!((ours - theirs).abs() < 2e-5, "{ours} instead of {theirs}: sums in another order differ less");
            }
        }
    }

    #[test]
    fn registers_of_any_width_filter_alike() {
        const CHANNELS: usize = 3;
        const TAPS: usize = 5;
        const WIDTH: usize = 2 * FRAMES + TAPS - 1;
        let rows: Vec<f32> = (0..CHANNELS * WIDTH).map(|place| (place * place % 17) as f32 / 8.0 - 1.0).collect();
        let weights: Vec<[f32; FILTERS]> = (0..2 * CHANNELS * TAPS)
            .map(|place| std::array::from_fn(|filter| ((place * 7 + filter * 5) % 13) as f32 / 6.0 - 1.0))
            .collect();
        let bias = [0.5, -0.25, 1.0, 0.0, 2.0, -1.0, 0.75, 0.125];
        let filtered = |run: &dyn Fn(Filter<'_>)| {
            let mut filtered = vec![f32::NAN; bias.len() * 50];
            let (rows, weights, bias, filtered_here) = (&rows[..], &weights[..], &bias[..], &mut filtered[..]);
            run(Filter { rows, width: WIDTH, taps: TAPS, weights, bias, frames: 50, filtered: filtered_here });
            filtered
        };
        let one_by_one = filtered(&|filter| pulp::Scalar.vectorize(filter));
        let runs: [&dyn Fn(Filter<'_>); 2] = [&|filter| in_eights(filter), &|filter| Arch::new().dispatch(filter)];
        for wide in runs.map(|run| filtered(run)) {
            assert!(
                wide.iter().zip(&one_by_one).all(|(wide, one)| (wide - one).abs() < 1e-5),
                "{wide:?} {one_by_one:?}"
            );
        }
    }

    #[test]
    fn other_convolutions_are_left_to_tract() {
        let plain = Sizes { batch: 1, channels: 2, frames: 20, filters: 3, taps: 3, pads: [1, 1], stride: 1 };
        assert!(!filtered(false, &Sizes { stride: 2, ..plain }).0);
        assert!(!filtered(false, &Sizes { batch: 2, ..plain }).0);
    }
}
