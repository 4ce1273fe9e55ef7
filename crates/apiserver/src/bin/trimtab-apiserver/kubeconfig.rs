//! [`KubeconfigFile`]: the file with the administrator's token, which nobody else reads, and which is gone at the end.

use std::{
    env,
    ffi::OsString,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use rand::{TryRngCore, rngs::OsRng};

/// The text that marks each kubeconfig of this program.
const MARK: &str = "current-context: trimtab";

/// A kubeconfig that was written for one run.
#[derive(Debug)]
pub(crate) struct KubeconfigFile {
    path: PathBuf,
    /// The folder that was made for it.
    folder: Option<PathBuf>,
}

impl KubeconfigFile {
    /// Writes a new file that only its owner reads: at `path`, or in a new folder among the temporary files. A file that is
    /// there already is replaced if an earlier run has left it; a link is never followed.
    pub(crate) fn write(path: Option<&Path>, kubeconfig: &str) -> Result<Self, String> {
        let file = match path {
            Some(path) => Self { path: path.to_owned(), folder: None },
            None => {
                let folder = env::temp_dir().join(format!("trimtab-apiserver-{}", unguessable()));
                private_folder(&folder)
                    .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
                Self { path: folder.join("kubeconfig"), folder: Some(folder) }
            }
        };
        file.check_place()?;
        file.put(kubeconfig)
            .map_err(|error| format!("cannot write the kubeconfig {}: {error}", file.path.display()))?;
        Ok(file)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, and the folder that was made for it.
    pub(crate) fn remove(self) -> Result<(), String> {
        let removed = match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // somebody else did
            removed => removed,
        };
        let removed = removed.and_then(|()| self.folder.as_ref().map_or(Ok(()), fs::remove_dir));
        removed.map_err(|error| format!("cannot remove the kubeconfig {}: {error}", self.path.display()))
    }

    /// Refuses a place where something else is.
    fn check_place(&self) -> Result<(), String> {
        let Ok(found) = fs::symlink_metadata(&self.path) else { return Ok(()) };
        let is_ours = found.is_file() && fs::read_to_string(&self.path).is_ok_and(|text| text.contains(MARK));
        if is_ours {
            return Ok(());
        }
        Err(format!(
            "{} is there already and is no kubeconfig of this program: --kubeconfig chooses another file",
            self.path.display()
        ))
    }

    /// Makes the file beside its place first: what is in the place is replaced, never written into.
    fn put(&self, kubeconfig: &str) -> io::Result<()> {
        let mut beside: OsString = self.path.clone().into_os_string();
        beside.push(format!(".{}", unguessable()));
        let beside = PathBuf::from(beside);
        let written = private_file(&beside).and_then(|mut file| file.write_all(kubeconfig.as_bytes()));
        let placed = written.and_then(|()| fs::rename(&beside, &self.path));
        if placed.is_err() {
            fs::remove_file(&beside).ok(); // the first error is told
        }
        placed
    }
}

/// 128 bits of the operating system's randomness.
fn unguessable() -> String {
    let mut bits = [0; 16];
    OsRng.try_fill_bytes(&mut bits).expect("the operating system gives random bytes");
    format!("{:032x}", u128::from_ne_bytes(bits))
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder() -> PathBuf {
        let folder = env::temp_dir().join(format!("trimtab-kubeconfig-test-{}", unguessable()));
        private_folder(&folder).expect("a new folder");
        folder
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn only_its_owner_reads_the_file_and_its_folder_is_new_for_each_run() {
        let [one, other] = [(); 2].map(|()| KubeconfigFile::write(None, MARK).expect("written"));
        assert_ne!(one.path(), other.path());
        assert_eq!((mode(one.path()), mode(one.path().parent().expect("a folder"))), (0o600, 0o700));
        let path = one.path().to_owned();
        one.remove().expect("removed");
        assert!(!path.exists() && !path.parent().expect("a folder").exists());
        other.remove().expect("removed");
    }

    #[test]
    fn what_an_earlier_run_left_is_replaced_and_nothing_else() {
        let folder = folder();
        let path = folder.join("config");
        fs::write(&path, MARK).expect("written");
        let file = KubeconfigFile::write(Some(&path), "new").expect("replaced");
        assert_eq!((mode(&path), fs::read_to_string(&path).expect("text")), (0o600, "new".to_owned()));
        file.remove().expect("removed");
        fs::write(&path, "somebody's own clusters").expect("written");
        let refused = KubeconfigFile::write(Some(&path), "new").expect_err("it is somebody else's");
        assert!(refused.contains(&*path.to_string_lossy()), "{refused}");
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn no_link_is_followed() {
        let folder = folder();
        let (target, link) = (folder.join("target"), folder.join("link"));
        fs::write(&target, MARK).expect("written");
        symlink(&target, &link).expect("linked");
        KubeconfigFile::write(Some(&link), "new").expect_err("a link is no file of ours");
        assert_eq!(fs::read_to_string(&target).expect("text"), MARK);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let refused = KubeconfigFile::write(Some(Path::new("/nowhere/at/all")), "new");
        let because = refused.expect_err("there is no such folder");
        assert!(because.contains("cannot write the kubeconfig /nowhere/at/all: "), "{because}");
    }
}
