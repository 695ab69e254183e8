//! Features on disk, so that memory does not grow with the corpus.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotone::features::FeatureMatrix;

const BYTES: usize = size_of::<f32>();
const START_BYTES: u64 = size_of::<u64>() as u64;

/// Matrices of equal width and any number of rows, one record each: their values in one file, where each begins in
/// another beside it, which stays on the disk as well.
pub struct FeatureStore {
    file: File,
    /// Row at which each record begins, and that after the last.
    starts: File,
    path: PathBuf,
    width: usize,
    records: u64,
}

/// A store that is being written.
pub struct StoreWriter {
    out: BufWriter<File>,
    starts: BufWriter<File>,
    path: PathBuf,
    width: usize,
    /// Rows so far.
    rows: u64,
}

impl StoreWriter {
    /// Begins a store of rows of `width` values at `path`; what was there is lost.
    ///
    /// # Errors
    /// With the file's name, if it cannot be made.
    pub fn create(path: &Path, width: usize) -> Result<Self> {
        let create = |path: &Path| {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
            file.with_context(|| cannot("written", path))
        };
        Self::new(create(path)?, create(&index_path(path))?, path, width)
    }

    /// Begins a store in files in `folder` that have no names, so that nothing is left of them when the process ends, however
    /// it ends.
    ///
    /// # Errors
    /// With the folder's name, if they cannot be made.
    pub fn unnamed(folder: &Path, width: usize) -> Result<Self> {
        let create = || tempfile::tempfile_in(folder).with_context(|| cannot("written", folder));
        Self::new(create()?, create()?, &folder.join("unnamed"), width)
    }

    fn new(out: File, starts: File, path: &Path, width: usize) -> Result<Self> {
        let (out, starts) = (BufWriter::new(out), BufWriter::new(starts));
        let mut writer = Self { out, starts, path: path.into(), width, rows: 0 };
        writer.push_start()?;
        Ok(writer)
    }

    /// Appends a record.
    ///
    /// # Errors
    /// With the file's name, if it cannot be written (a full disk, say), or for a matrix of another width.
    pub fn push(&mut self, matrix: &FeatureMatrix) -> Result<()> {
        let fits = matrix.columns() == self.width || matrix.frames() == 0;
        ensure!(fits, "a record of {} columns among those of {}", matrix.columns(), self.width);
        for value in matrix.values() {
            self.out.write_all(&value.to_le_bytes()).with_context(|| cannot("written", &self.path))?;
        }
        self.rows += matrix.frames() as u64;
        self.push_start()
    }

    fn push_start(&mut self) -> Result<()> {
        let write = self.starts.write_all(&self.rows.to_le_bytes());
        write.with_context(|| cannot("written", &index_path(&self.path)))
    }

    /// Ends the store, after which it can be opened again if it has a name.
    ///
    /// # Errors
    /// With the file's name, if it cannot be written.
    pub fn finish(self) -> Result<FeatureStore> {
        let Self { out, starts, path, width, .. } = self;
        let out = out.into_inner().with_context(|| cannot("written", &path))?;
        let starts = starts.into_inner().with_context(|| cannot("written", &index_path(&path)))?;
        FeatureStore::new(out, starts, &path, width)
    }
}

impl FeatureStore {
    /// Opens what a [`StoreWriter`] finished.
    ///
    /// # Errors
    /// With the file's name, if it is missing or not complete.
    pub fn open(path: &Path, width: usize) -> Result<Self> {
        let open = |path: &Path| File::open(path).with_context(|| cannot("read", path));
        Self::new(open(path)?, open(&index_path(path))?, path, width)
    }

    fn new(file: File, starts: File, path: &Path, width: usize) -> Result<Self> {
        let length = |file: &File| Ok::<_, anyhow::Error>(file.metadata().with_context(|| cannot("read", path))?.len());
        let (length, starts_length) = (length(&file)?, length(&starts)?);
        let records = (starts_length / START_BYTES).saturating_sub(1);
        let store = Self { file, starts, path: path.into(), width, records };
        let [rows] = store.starts(records)?;
        let expected = rows * (width * BYTES) as u64;
        ensure!(length == expected, "{}: {length} bytes instead of {expected}", path.display());
        Ok(store)
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Records in it.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a record, `[rows, width]`.
    ///
    /// # Errors
    /// If there is no such record, or the file cannot be read.
    pub fn read(&self, record: usize) -> Result<FeatureMatrix> {
        ensure!(record < self.len(), "record {record} of {}", self.len());
        let [start, end] = self.starts(record as u64)?;
        let rows = end.checked_sub(start).with_context(|| cannot("read", &index_path(&self.path)))?;
        let mut bytes = vec![0; rows as usize * self.width * BYTES];
        read_at(&self.file, &mut bytes, start * (self.width * BYTES) as u64)
            .with_context(|| cannot("read", &self.path))?;
        let values = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(FeatureMatrix::new(self.width, values))
    }

    /// Where `COUNT` records from one on begin.
    fn starts<const COUNT: usize>(&self, record: u64) -> Result<[u64; COUNT]> {
        let mut bytes = [[0; START_BYTES as usize]; COUNT];
        read_at(&self.starts, bytes.as_flattened_mut(), record * START_BYTES)
            .with_context(|| cannot("read", &index_path(&self.path)))?;
        Ok(bytes.map(u64::from_le_bytes))
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut own = file.try_clone()?;
    own.seek(SeekFrom::Start(offset))?;
    own.read_exact(bytes)
}

fn index_path(path: &Path) -> PathBuf {
    path.with_extension("index")
}

fn cannot(be: &str, path: &Path) -> String {
    format!("{}: cannot be {be}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_any_length_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.f32");
        let mut writer = StoreWriter::create(&path, 2).unwrap();
        let records = [vec![1.0, 2.0, 3.0, 4.0], vec![], vec![5.0, 6.0]];
        records.iter().for_each(|values| writer.push(&FeatureMatrix::new(2, values.clone())).unwrap());
        assert!(writer.push(&FeatureMatrix::new(3, vec![0.0; 3])).is_err());
        let store = writer.finish().unwrap();
        assert_eq!(store.len(), 3);
        for (index, values) in records.iter().enumerate() {
            assert_eq!(store.read(index).unwrap().values(), values);
        }
        assert!(store.read(3).is_err());
    }

    #[test]
    fn a_store_without_a_name_can_be_read_and_leaves_nothing_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = StoreWriter::unnamed(folder.path(), 1).unwrap();
        writer.push(&FeatureMatrix::new(1, vec![1.0, 2.0])).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nor while it is written");
        assert_eq!(writer.finish().unwrap().read(0).unwrap().values(), [1.0, 2.0]);
    }

    #[test]
    fn a_store_that_was_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.f32");
        let mut writer = StoreWriter::create(&path, 1).unwrap();
        writer.push(&FeatureMatrix::new(1, vec![1.0, 2.0])).unwrap();
        drop(writer.finish().unwrap());
        std::fs::write(&path, [0; 4]).unwrap();
        assert!(FeatureStore::open(&path, 1).is_err());
    }
}
