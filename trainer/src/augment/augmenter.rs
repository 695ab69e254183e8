//! Chance makes a chain of changes.

use emotone::audio::{AudioError, Waveform};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use super::telephone::TELEPHONE_RATE_HZ;
use super::{Babble, Band, Codec, Color, Concealment, Law, NoiseKind, PacketLoss, Recipe, Step};

/// Centers of equalizer bands, in Hz, drawn evenly in octaves.
const CENTER_HZ: std::ops::RangeInclusive<f32> = 80.0..=6_000.0;
/// Widths of equalizer bands.
const Q: std::ops::RangeInclusive<f32> = 0.4..=2.0;

/// A changed copy and what was done to it, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmented {
    /// The copy; its rate is the original's, or 8 kHz once it went over a telephone.
    pub waveform: Waveform,
    /// What was done; the same steps on the same original give the same copy.
    pub steps: Vec<Step>,
}

/// Draws chains of changes and applies them.
#[derive(Debug, Clone)]
pub struct Augmenter {
    recipe: Recipe,
    babble: Babble,
}

/// The seed of one copy: every run, epoch and clip has its own, whatever the order they are made in.
pub fn copy_seed(run: u64, epoch: u64, clip: u64) -> u64 {
    // SplitMix64 (Steele et al., OOPSLA 2014) after each part, so that neighbours share nothing.
    [run, epoch, clip].into_iter().fold(0, |state, part| {
        let mut mixed = (state ^ part).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

impl Augmenter {
    /// By `recipe`, with `babble` from the training part alone in the background.
    pub fn new(recipe: Recipe, babble: Babble) -> Self {
        Self { recipe, babble }
    }

    /// The chain that `seed` stands for.
    pub fn draw(&self, seed: u64) -> Vec<Step> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut steps = Vec::new();
        self.draw_voice(&mut rng, &mut steps);
        self.draw_room(&mut rng, &mut steps);
        self.draw_microphone(&mut rng, &mut steps);
        if rng.random_bool(self.recipe.telephone.clamp(0.0, 1.0)) {
            self.draw_line(&mut rng, &mut steps);
        }
        steps
    }

    /// `waveform` after `steps`; `speaker`, who says it, is kept out of the background.
    ///
    /// # Errors
    /// [`AudioError`] of the first step that fails.
    pub fn apply(&self, steps: &[Step], waveform: &Waveform, speaker: &str) -> Result<Waveform, AudioError> {
        steps.iter().try_fold(waveform.clone(), |waveform, step| step.apply(&waveform, &self.babble, speaker))
    }

    /// Draws and applies.
    ///
    /// # Errors
    /// As [`Augmenter::apply`].
    pub fn augment(&self, waveform: &Waveform, speaker: &str, seed: u64) -> Result<Augmented, AudioError> {
        let steps = self.draw(seed);
        Ok(Augmented { waveform: self.apply(&steps, waveform, speaker)?, steps })
    }

    fn draw_voice(&self, rng: &mut impl Rng, steps: &mut Vec<Step>) {
        let recipe = &self.recipe;
        if let Some(percent) = recipe.speed.draw(rng) {
            steps.push(Step::Speed { percent });
        } else if let Some(percent) = recipe.pitch.draw(rng) {
            steps.push(Step::Pitch { percent });
        } else if let Some(percent) = recipe.tempo.draw(rng) {
            steps.push(Step::Tempo { percent });
        }
        if let Some(start) = recipe.crop.draw(rng) {
            steps.push(Step::Crop { start, end: recipe.crop.figure(rng) });
        }
        if let Some(before_seconds) = recipe.surround.draw(rng) {
            steps.push(Step::Surround { before_seconds, after_seconds: recipe.surround.figure(rng) });
        }
    }

    fn draw_room(&self, rng: &mut impl Rng, steps: &mut Vec<Step>) {
        let recipe = &self.recipe;
        if let Some(rt60_seconds) = recipe.reverberation.draw(rng) {
            let direct_db = rng.random_range(recipe.direct_db.clone());
            steps.push(Step::Reverberate { rt60_seconds, direct_db, seed: rng.random() });
        }
        if let Some(snr_db) = recipe.noise.draw(rng) {
            let kind = if rng.random_bool(recipe.babble_share.clamp(0.0, 1.0)) && !self.babble.is_empty() {
                NoiseKind::Babble(rng.random_range(recipe.talkers.clone()))
            } else {
                NoiseKind::Colored(if rng.random() { Color::White } else { Color::Pink })
            };
            steps.push(Step::AddNoise { kind, snr_db, seed: rng.random() });
        }
    }

    fn draw_microphone(&self, rng: &mut impl Rng, steps: &mut Vec<Step>) {
        let recipe = &self.recipe;
        if recipe.equalizer.strikes(rng) {
            let count = rng.random_range(recipe.bands.clone());
            let octaves = CENTER_HZ.start().log2()..=CENTER_HZ.end().log2();
            let bands = std::iter::repeat_with(|| Band {
                center_hz: rng.random_range(octaves.clone()).exp2(),
                q: rng.random_range(Q),
                gain_db: recipe.equalizer.figure(rng),
            });
            steps.push(Step::Equalize { bands: bands.take(count).collect() });
        }
        if let Some(drive_db) = recipe.clip.draw(rng) {
            steps.push(Step::Clip { drive_db });
        }
        if let Some(dbfs) = recipe.level.draw(rng) {
            steps.push(Step::SetLevel { dbfs });
        }
    }

    fn draw_line(&self, rng: &mut impl Rng, steps: &mut Vec<Step>) {
        let recipe = &self.recipe;
        let low_hz = rng.random_range(recipe.low_hz.clone());
        let high_hz = rng.random_range(recipe.high_hz.clone());
        steps.push(Step::Resample { rate_hz: TELEPHONE_RATE_HZ });
        steps.push(Step::BandLimit { low_hz, high_hz });
        let law = if rng.random() { Law::Mulaw } else { Law::Alaw };
        let codec = match (rng.random_bool(recipe.mobile_share.clamp(0.0, 1.0)), rng.random()) {
            (false, _) => Codec::G711(law),
            (true, false) => Codec::Gsm,
            (true, true) => Codec::GsmThenG711(law),
        };
        steps.push(Step::Code { codec });
        if let Some(rate) = recipe.packet_loss.draw(rng) {
            let burst = rng.random_range(recipe.burst.clone());
            let concealment = if rng.random() { Concealment::Silence } else { Concealment::Repeat };
            steps.push(Step::LosePackets { loss: PacketLoss { rate, burst, concealment }, seed: rng.random() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Voice;
    use crate::augment::sounds::{at, voice};

    fn augmenter() -> Augmenter {
        let clips = ["OAF", "YAF", "01"]
            .into_iter()
            .zip(1..)
            .map(|(speaker, seed)| Voice { speaker: speaker.into(), waveform: at(16_000, voice(16_000, 8_000, seed)) });
        Augmenter::new(Recipe::robust(crate::augment::Voices::Unlike), Babble::new(clips, 16_000).unwrap())
    }

    #[test]
    fn a_seed_gives_the_same_copy_and_its_record_gives_it_again() {
        let (augmenter, speech) = (augmenter(), at(16_000, voice(16_000, 16_000, 9)));
        for seed in 0..40 {
            let copy = augmenter.augment(&speech, "OAF", seed).unwrap();
            assert_eq!(copy, augmenter.augment(&speech, "OAF", seed).unwrap());
            let record = serde_json::to_string(&copy.steps).unwrap();
            let steps: Vec<Step> = serde_json::from_str(&record).unwrap();
            assert_eq!(augmenter.apply(&steps, &speech, "OAF").unwrap(), copy.waveform, "{record}");
        }
    }

    #[test]
    fn copies_differ_last_about_as_long_and_half_of_them_come_over_the_telephone() {
        let augmenter = augmenter();
        let chains: Vec<Vec<Step>> = (0..400).map(|clip| augmenter.draw(copy_seed(1, 2, clip))).collect();
        let on_the_phone = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Code { .. }));
        let calls = chains.iter().filter(|steps| on_the_phone(steps)).count();
        assert!((160..240).contains(&calls), "{calls} of 400");
        let speech = at(16_000, voice(16_000, 16_000, 9));
        for steps in chains.iter().take(50) {
            let copy = augmenter.apply(steps, &speech, "OAF").unwrap();
            assert_eq!(copy.sample_rate_hz(), if on_the_phone(steps) { 8_000 } else { 16_000 });
            assert!((0.6..2.1).contains(&copy.seconds()), "{} s after {steps:?}", copy.seconds());
        }
    }

    #[test]
    fn no_two_seeds_of_a_run_are_the_same() {
        let seeds = (0..50).flat_map(|epoch| (0..200).map(move |clip| copy_seed(7, epoch, clip)));
        assert_eq!(seeds.collect::<std::collections::HashSet<_>>().len(), 10_000);
    }
}
