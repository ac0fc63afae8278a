"""The pool of slice pairs: preparation, storage, dataset and augmentation."""
