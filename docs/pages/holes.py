HOLES = ()
