//! Sounds made on the spot, the same on every run: speech-like voices, and what is no speech.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::f32::consts::{PI, TAU};

/// First three formants of some vowels, in Hz.
const VOWELS: [[f32; 3]; 6] = [
    [730.0, 1090.0, 2440.0],
    [270.0, 2290.0, 3010.0],
    [300.0, 870.0, 2240.0],
    [530.0, 1840.0, 2480.0],
    [570.0, 840.0, 2410.0],
    [490.0, 1350.0, 1690.0],
];
/// Bandwidths of these formants, in Hz.
const BANDWIDTHS: [f32; 3] = [80.0, 100.0, 160.0];
/// Part of a period in which air flows.
const OPEN_QUOTIENT: f32 = 0.6;

/// Random numbers that are the same everywhere (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn uniform(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// A whole number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// Near enough to a normal distribution of variance 1.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform(-0.5, 0.5)).sum()
    }
}

/// A voice at work.
#[derive(Clone, Copy)]
pub struct Voice {
    /// Mean pitch in Hz.
    pub pitch: f32,
    /// Scale of the formants: 1.0 a man's, 1.17 a woman's.
    pub tract: f32,
    pub seed: u64,
}

pub const MAN: Voice = Voice { pitch: 115.0, tract: 1.0, seed: 21 };
pub const WOMAN: Voice = Voice { pitch: 205.0, tract: 1.17, seed: 22 };

impl Voice {
    /// Voiced syllables in words and phrases: glottal pulses, a pitch contour, three formants, breath and pauses; peak 0.7.
    pub fn speak(self, seconds: f32, rate: u32) -> Vec<f32> {
        let (rate, mut dice) = (rate as f32, Dice::new(self.seed));
        let mut track = vec![0.0; (seconds * rate) as usize];
        let mut position = ((seconds / 20.0).min(0.05) * rate) as usize;
        while position < track.len() {
            let syllables = 3 + dice.below(6);
            let accent = self.pitch * dice.uniform(0.95, 1.25);
            for number in 0..syllables {
                let length = (dice.uniform(0.12, 0.26) * rate) as usize;
                let start = accent * (1.0 - 0.3 * number as f32 / syllables as f32);
                let end = start * dice.uniform(0.8, 1.15);
                let loudness = dice.uniform(0.6, 1.0);
                let sound = syllable(length, rate, (start, end), self.tract, &mut dice);
                let room = track.iter_mut().skip(position);
                room.zip(sound).for_each(|(sample, sound)| *sample += loudness * sound);
                position += (length as f32 * dice.uniform(0.85, 1.05)) as usize;
            }
            position += (dice.uniform(0.1, 0.3) * rate) as usize;
        }
        let peak = track.iter().fold(1e-9, |peak: f32, sample| peak.max(sample.abs()));
        track.iter().map(|sample| 0.7 * sample / peak).collect()
    }
}

fn syllable(length: usize, rate: f32, pitch: (f32, f32), tract: f32, dice: &mut Dice) -> Vec<f32> {
    let part = |index: usize| index as f32 / length as f32;
    let mut phase = 0.0;
    let excitation: Vec<f32> = (0..length)
        .map(|index| {
            let wobble = 1.0 + 0.01 * (TAU * 5.0 * index as f32 / rate).sin();
            phase = (phase + (pitch.0 + (pitch.1 - pitch.0) * part(index)) * wobble / rate) % 1.0;
            let open = phase / OPEN_QUOTIENT;
            let flow = if open < 1.0 { 2.0 * open - 3.0 * open * open } else { 0.0 };
            flow + 0.03 * dice.normal()
        })
        .collect();
    let first = resonate(&excitation, VOWELS[dice.below(6)], tract, rate);
    let second = resonate(&excitation, VOWELS[dice.below(6)], tract, rate);
    let hiss = if dice.below(2) == 0 { 0.0 } else { 0.3 };
    let loudness = (first.iter().map(|sample| sample * sample).sum::<f32>() / length as f32).sqrt();
    (0..length)
        .map(|index| {
            let voiced = (1.0 - part(index)) * first[index] + part(index) * second[index];
            let fricative = if part(index) < 0.3 { hiss * loudness * (dice.normal() - dice.normal()) } else { 0.0 };
            (voiced + fricative) * (PI * part(index)).sin().powf(0.7)
        })
        .collect()
}

/// A cascade of two-pole resonators.
fn resonate(excitation: &[f32], formants: [f32; 3], tract: f32, rate: f32) -> Vec<f32> {
    let mut signal = excitation.to_vec();
    for (centre, width) in formants.into_iter().zip(BANDWIDTHS) {
        let radius = (-PI * width / rate).exp();
        let (near, far) = (2.0 * radius * (TAU * centre * tract / rate).cos(), radius * radius);
        let (mut last, mut before) = (0.0, 0.0);
        for sample in &mut signal {
            *sample = (1.0 - near + far) * *sample + near * last - far * before;
            (before, last) = (last, *sample);
        }
    }
    signal
}

/// White noise of that standard deviation.
pub fn noise(seconds: f32, rate: u32, level: f32, seed: u64) -> Vec<f32> {
    let mut dice = Dice::new(seed);
    (0..(seconds * rate as f32) as usize).map(|_| level * dice.normal().clamp(-3.0, 3.0)).collect()
}

/// Noise with equal power in each octave, by Paul Kellet's filter.
pub fn pink(seconds: f32, rate: u32, level: f32, seed: u64) -> Vec<f32> {
    let (mut dice, mut state) = (Dice::new(seed), [0.0; 3]);
    let poles = [(0.997_65, 0.099_046), (0.963, 0.296_516_4), (0.57, 1.052_691_3)];
    let mut sample = || {
        let white = dice.normal();
        state.iter_mut().zip(poles).for_each(|(state, (pole, gain))| *state = pole * *state + gain * white);
        level * (state.iter().sum::<f32>() + 0.1848 * white) / 2.0
    };
    (0..(seconds * rate as f32) as usize).map(|_| sample()).collect()
}

/// Tones of these frequencies and amplitudes.
pub fn tones(seconds: f32, rate: u32, parts: &[(f32, f32)]) -> Vec<f32> {
    let sample = |index: usize| {
        parts.iter().map(|(hz, level)| level * (TAU * (hz * index as f32 / rate as f32).fract()).sin()).sum()
    };
    (0..(seconds * rate as f32) as usize).map(sample).collect()
}

/// Mains hum: 50 Hz and two harmonics.
pub fn hum(seconds: f32, rate: u32) -> Vec<f32> {
    tones(seconds, rate, &[(50.0, 0.1), (100.0, 0.05), (150.0, 0.033)])
}

/// The signal where it is on, silence where it is off, turn and turn about.
pub fn pulsed(signal: &[f32], rate: u32, on_seconds: f32, off_seconds: f32) -> Vec<f32> {
    let is_on = |index: usize| index as f32 / rate as f32 % (on_seconds + off_seconds) < on_seconds;
    signal.iter().enumerate().map(|(index, sample)| if is_on(index) { *sample } else { 0.0 }).collect()
}

/// Louder or quieter, and rounded to 16 bits as every telephone does.
pub fn at_level(signal: &[f32], decibel: f32) -> Vec<f32> {
    let gain = 10_f32.powf(decibel / 20.0);
    signal.iter().map(|sample| (sample * gain * 32_768.0).round().clamp(-32_768.0, 32_767.0) / 32_768.0).collect()
}

/// One after the other.
pub fn joined(parts: &[&[f32]]) -> Vec<f32> {
    parts.concat()
}
